// The floor that the task is measured against: the same calls through the same proxy, with one TLS context, and nothing
// else. No retry, no limit, no check, no record. It reads what the agent gives the task.
import { createHmac } from 'node:crypto';
import { readFileSync } from 'node:fs';
import http from 'node:http';
import https from 'node:https';
import tls from 'node:tls';

const env = process.env;
const proxy = new URL(env.AGENT_PROXYURL);
const proxyUser = `${env.AGENT_PROXYUSERNAME}:${env.SECRET_AGENT_PROXYPASSWORD}`;
const secureContext = tls.createSecureContext({ ca: readFileSync(env.AGENT_CAINFO) });

function tunnel(host) {
  return new Promise((resolve, reject) => {
    const headers = { 'proxy-authorization': `Basic ${Buffer.from(proxyUser).toString('base64')}` };
    const options = { host: proxy.hostname, port: proxy.port, method: 'CONNECT', path: `${host}:443`, headers };
    const request = http.request(options);
    request.on('connect', (_response, socket) => resolve(tls.connect({ socket, servername: host, secureContext })));
    request.on('error', reject);
    request.end();
  });
}

async function post(url, headers, body) {
  const socket = await tunnel(new URL(url).host);
  const agent = Object.assign(new https.Agent(), { createConnection: () => socket });
  return new Promise((resolve, reject) => {
    const length = { 'content-length': Buffer.byteLength(body) };
    const request = https.request(url, { method: 'POST', agent, headers: { ...headers, ...length } }, (response) => {
      let text = '';
      response.on('data', (chunk) => {
        text += chunk;
      });
      response.on('end', () =>
        response.statusCode === 200 ? resolve(text) : reject(new Error(`${response.statusCode}`)),
      );
    });
    request.on('error', reject);
    request.end(body);
  });
}

const form = { 'content-type': 'application/x-www-form-urlencoded' };
const encoded = (fields) => new URLSearchParams(fields).toString();
const connection = JSON.parse(env[`ENDPOINT_AUTH_${env.INPUT_AZURECONNECTION}`]).parameters;
const jobToken = JSON.parse(env.ENDPOINT_AUTH_SYSTEMVSSCONNECTION).parameters.AccessToken;
const isStorage = env.INPUT_TARGET === 'storage';

const { oidcToken } = JSON.parse(
  await post(
    `${env.SYSTEM_OIDCREQUESTURI}?api-version=7.1&serviceConnectionId=${env.INPUT_AZURECONNECTION}`,
    { authorization: `Bearer ${jobToken}`, 'content-type': 'application/json', 'x-tfs-fedauthredirect': 'Suppress' },
    '',
  ),
);
const { access_token: wideToken } = JSON.parse(
  await post(
    `https://login.microsoftonline.com/${connection.tenantid}/oauth2/v2.0/token`,
    form,
    encoded({
      grant_type: 'client_credentials',
      client_id: connection.serviceprincipalid,
      scope: `https://${isStorage ? 'storage.azure.com' : 'containerregistry.azure.net'}/.default`,
      client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
      client_assertion: oidcToken,
    }),
  ),
);
console.log(`##vso[task.setsecret]${isStorage ? await signature() : await registryToken()}`);
process.stdout.write('', () => process.exit(0));

async function signature() {
  const at = (offset) => `${new Date(Date.now() + offset).toISOString().slice(0, 19)}Z`;
  const answer = await post(
    `${env.INPUT_RESOURCE}/?restype=service&comp=userdelegationkey`,
    { authorization: `Bearer ${wideToken}`, 'x-ms-version': '2022-11-02', 'content-type': 'application/xml' },
    `<?xml version="1.0" encoding="utf-8"?><KeyInfo><Start>${at(-300_000)}</Start><Expiry>${at(3_600_000)}</Expiry></KeyInfo>`,
  );
  const key = Buffer.from(/<Value>([^<]+)/.exec(answer)[1], 'base64');
  return createHmac('sha256', key).update('what is signed').digest('base64');
}

async function registryToken() {
  const host = env.INPUT_RESOURCE;
  const asked = { service: host, tenant: connection.tenantid };
  const exchanged = JSON.parse(
    await post(
      `https://${host}/oauth2/exchange`,
      form,
      encoded({ grant_type: 'access_token', ...asked, access_token: wideToken }),
    ),
  );
  const refresh = { grant_type: 'refresh_token', service: host, refresh_token: exchanged.refresh_token };
  const narrowed = await post(
    `https://${host}/oauth2/token`,
    form,
    encoded({ ...refresh, scope: 'repository:team/app:pull' }),
  );
  return JSON.parse(narrowed).access_token;
}
