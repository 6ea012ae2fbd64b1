import { type Answer, jsonAnswer } from '../servers/call.ts';
import { cannedAnswers } from '../servers/faults.ts';
import { knownTenant, type Refusal } from './bad-run.ts';

/** Ids that a support case needs, as the canned errors carry them. */
export const traceId = 'b72a1f2e-5d0c-4b1e-8a3f-0c9d8e7f6a50';
export const correlationId = '0e4d1c6b-2a3f-4c5d-9e8f-7a6b5c4d3e21';

/** An error as Entra writes it. */
export function entraError(code: number, description = 'The request was refused.', status = 400): Answer {
  return jsonAnswer(status, {
    error: 'invalid_request',
    error_description: `AADSTS${code}: ${description} Trace ID: ${traceId} Correlation ID: ${correlationId} Timestamp: 2026-03-01 10:00:00Z`,
    error_codes: [code],
    timestamp: '2026-03-01 10:00:00Z',
    trace_id: traceId,
    correlation_id: correlationId,
    error_uri: `https://login.microsoftonline.com/error?code=${code}`,
  });
}

/** The same answer, asking for no wait. */
export const atOnce = (answer: Answer): Answer => ({ ...answer, headers: { ...answer.headers, 'Retry-After': '0' } });

/** Answers that do not heal: one assertion and one request each. */
export const refused: readonly (Omit<Refusal, 'requests'> & { readonly title: string; readonly answer: Answer })[] = [
  {
    title: '70021: nothing matches',
    answer: entraError(70021, 'No matching federated identity record found.'),
    code: 'ENTRA_TRUST',
    says: [
      'No federated credential matches what was presented',
      'presented subject:',
      'Copy the issuer and subject shown above',
    ],
    providerCode: 'AADSTS70021',
  },
  {
    title: '500011: an unknown resource',
    answer: entraError(500011),
    code: 'ENTRA_REFUSED',
    says: [
      `Tenant ${knownTenant} has no resource https://containerregistry.azure.net`,
      'Next: Check that the target’s',
    ],
    providerCode: 'AADSTS500011',
  },
  {
    title: '53003: Conditional Access',
    answer: entraError(53003, 'Access has been blocked by Conditional Access policies.', 403),
    code: 'ENTRA_REFUSED',
    says: ['A Conditional Access policy for workload identities blocked the sign-in', 'sign-in log with the ids below'],
    providerCode: 'AADSTS53003',
  },
  {
    title: 'a code that is not known here',
    answer: entraError(7000229, 'The client application is missing service principal in the tenant.'),
    code: 'ENTRA_REFUSED',
    says: ['missing service principal in the tenant', 'https://login.microsoftonline.com/error?code=7000229'],
    providerCode: 'AADSTS7000229',
  },
  {
    title: 'a code that stands in the text only',
    answer: jsonAnswer(400, { error: 'invalid_request', error_description: 'AADSTS7000112: Application is disabled.' }),
    code: 'ENTRA_REFUSED',
    says: ['is disabled in tenant', 'AADSTS7000112'],
    providerCode: 'AADSTS7000112',
  },
  {
    title: 'an error without a code',
    answer: jsonAnswer(400, { error: 'invalid_request' }, { 'x-ms-request-id': traceId }),
    code: 'ENTRA_BAD_ANSWER',
    says: ['status 400', `x-ms-request-id ${traceId}`],
  },
  {
    title: 'a page with status 200',
    answer: cannedAnswers.html(),
    code: 'ENTRA_BAD_ANSWER',
    says: ['not understood: status 200, content type text/html', 'the proxy between the agent and Microsoft Entra'],
  },
  {
    title: 'an empty 200',
    answer: cannedAnswers.empty(),
    code: 'ENTRA_BAD_ANSWER',
    says: ['not understood: status 200', 'an empty body'],
  },
  {
    title: '200 without a token',
    answer: jsonAnswer(200, { token_type: 'Bearer', expires_in: 3599 }),
    code: 'ENTRA_BAD_ANSWER',
    says: ['Microsoft Entra gave an answer that is not understood'],
  },
  {
    title: '429 that asks for more than there is time for',
    answer: cannedAnswers.throttled(300),
    code: 'THROTTLED',
    says: ['Microsoft Entra answered "too many requests" (429) after one try', 'Retry-After 300'],
    providerCode: 'HTTP 429',
  },
];
