// An authorization server on oidc-provider: `node oidc_provider.mjs PORT METHOD SECONDS`; see authlib_server.py.
import { createRequire } from 'node:module'
import { pathToFileURL } from 'node:url'

const [port, method, seconds] = [Number(process.argv[2]), process.argv[3], Number(process.argv[4])]
const require = createRequire(`${process.env.REAL_NODE_MODULES}/x.js`)
const { default: Provider } = await import(pathToFileURL(require.resolve('oidc-provider')))
const issuer = `http://127.0.0.1:${port}`
let count = 0

const provider = new Provider(issuer, {
  clients: [
    {
      client_id: 'corp client',
      client_secret: 's3cret+/ of the client',
      token_endpoint_auth_method: method,
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
      scope: 'chat',
    },
    {
      client_id: 'server',
      client_secret: 'of-the-server',
      token_endpoint_auth_method: 'client_secret_post',
      grant_types: ['client_credentials'],
      redirect_uris: [],
      response_types: [],
    },
  ],
  scopes: ['chat'],
  features: {
    clientCredentials: { enabled: true },
    introspection: { enabled: true, allowedPolicy: () => true },
    devInteractions: { enabled: false },
  },
  ttl: { ClientCredentials: seconds },
})
provider.on('client_credentials.saved', () => { count += 1 })
provider.use(async (context, next) => {
  if (context.path === '/count') context.body = count
  else await next()
})
provider.listen(port, '127.0.0.1')
