import { randomUUID } from 'node:crypto';
import { type Answer, type Call, header } from './call.ts';
import type { LabClock } from './lab-clock.ts';

/** Codes that the gateway answers with by itself, and their texts. */
const messages = {
  AuthenticationFailed:
    'Server failed to authenticate the request. Make sure the value of Authorization header is formed correctly including the signature.',
  InvalidAuthenticationInfo:
    'Server failed to authenticate the request. Please refer to the information in the www-authenticate header.',
  AuthorizationPermissionMismatch: 'This request is not authorized to perform this operation using this permission.',
  AuthorizationFailure: 'This request is not authorized to perform this operation.',
  InvalidXmlDocument: 'XML specified is not syntactically valid.',
  InvalidXmlNodeValue: 'The value for one of the XML nodes is not in the correct format.',
  FeatureNotSupported: 'This account is served here for delegation keys and account information only.',
} as const;

/** A code that the gateway answers with by itself. */
export type StorageCode = keyof typeof messages;

/** An error as the service writes it: XML, with the code in a header too. `detail` says what was wrong with a signature. */
export function storageError(call: Call, clock: LabClock, status: number, code: StorageCode, detail?: string): Answer {
  const requestId = randomUUID();
  const more = detail ? `<AuthenticationErrorDetail>${escapeXml(detail)}</AuthenticationErrorDetail>` : '';
  const text = `${messages[code]}\nRequestId:${requestId}\nTime:${clock.isoTime()}`;
  const headers: Record<string, string> = {
    'Content-Type': 'application/xml',
    'x-ms-error-code': code,
    'x-ms-request-id': requestId,
    'x-ms-version': header(call, 'x-ms-version') ?? '2022-11-02',
  };
  const clientRequestId = header(call, 'x-ms-client-request-id');
  if (clientRequestId) headers['x-ms-client-request-id'] = clientRequestId;
  if (status === 401) {
    headers['WWW-Authenticate'] =
      'Bearer authorization_uri=https://login.microsoftonline.com/common/oauth2/authorize resource_id=https://storage.azure.com';
  }
  const body = `<?xml version="1.0" encoding="utf-8"?><Error><Code>${code}</Code><Message>${escapeXml(text)}</Message>${more}</Error>`;
  return { status, headers, body };
}

/** Get Account Information: no body, the facts in headers. */
export function accountInformation(call: Call, isHierarchical: boolean): Answer {
  const headers: Record<string, string> = {
    'x-ms-request-id': randomUUID(),
    'x-ms-version': header(call, 'x-ms-version') ?? '2022-11-02',
    'x-ms-sku-name': 'Standard_LRS',
    'x-ms-account-kind': 'StorageV2',
    'x-ms-is-hns-enabled': String(isHierarchical),
  };
  const clientRequestId = header(call, 'x-ms-client-request-id');
  if (clientRequestId) headers['x-ms-client-request-id'] = clientRequestId;
  return { status: 200, headers };
}

function escapeXml(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
}
