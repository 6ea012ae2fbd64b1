import { randomUUID } from 'node:crypto';
import { type Answer, type Call, header, jsonAnswer } from './call.ts';

/** An error as Azure DevOps writes it: wrapped exception with `message` and `typeKey`. */
export function serviceError(status: number, typeKey: string, message: string): Answer {
  return jsonAnswer(
    status,
    {
      $id: '1',
      innerException: null,
      message,
      typeName: `Microsoft.TeamFoundation.Framework.Server.${typeKey}, Microsoft.TeamFoundation.Framework.Server`,
      typeKey,
      errorCode: 0,
      eventId: 3000,
    },
    { 'x-vss-e2eid': randomUUID() },
  );
}

/** The form of errors that come from the web layer: `{count, value: {Message}}`. */
export function webLayerError(status: number, message: string): Answer {
  return jsonAnswer(status, { count: 1, value: { Message: message } }, { 'x-vss-e2eid': randomUUID() });
}

/** No or a bad credential: a sign-in page, or 401 when the client said that it wants no redirect. agent-contract §8. */
export function notAuthenticated(call: Call): Answer {
  const realm = `https://${call.host}/`;
  if (header(call, 'x-tfs-fedauthredirect') !== 'Suppress') {
    const query = new URLSearchParams({ realm: call.host, reply_to: `${realm}${call.path.slice(1)}`, redirect: '1' });
    return {
      status: 302,
      headers: {
        Location: `https://spsprodweu1.vssps.visualstudio.com/_signin?${query}`,
        'Content-Type': 'text/html; charset=utf-8',
      },
      body: '<html><head><title>Object moved</title></head><body><h2>Object moved to here.</h2></body></html>',
    };
  }
  const message = 'TF400813: Resource not available for anonymous access. Client authentication required.';
  const refusal = serviceError(401, 'UnauthorizedRequestException', message);
  const challenge = [`Bearer`, `Basic realm="${realm}"`, 'TFS-Federated'];
  return { ...refusal, headers: { ...refusal.headers, 'WWW-Authenticate': challenge } };
}

/** What the service says to a path that it does not know. */
export function unknownRoute(call: Call): Answer {
  return serviceError(
    404,
    'HttpException',
    `The controller for path '${call.path}' was not found or does not implement IController.`,
  );
}

/** The asked version, from the query or the `Accept` header; undefined when none was given. */
export function apiVersion(call: Call): string | undefined {
  return call.query.get('api-version') ?? /api-version=([^;,\s]+)/i.exec(header(call, 'accept') ?? '')?.[1];
}

/** The refusal of a request that must carry an api-version and carries none. */
export function versionMissing(call: Call): Answer {
  return serviceError(
    400,
    'VssVersionNotSpecifiedException',
    `No api-version was supplied for the "${call.method}" request. The version must be supplied either as part of the Accept header (e.g. "application/json; api-version=1.0") or as a query parameter (e.g. "?api-version=1.0").`,
  );
}

/** The refusal of a plain version for a resource that is in preview. */
export function previewNeeded(version: string): Answer {
  return serviceError(
    400,
    'VssInvalidPreviewVersionException',
    `The requested version "${version}" of the resource is under preview. The -preview flag must be supplied in the api-version for such requests. For example: "${version}-preview"`,
  );
}
