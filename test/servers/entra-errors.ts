import { randomUUID } from 'node:crypto';
import { type Answer, jsonAnswer } from './call.ts';
import type { LabClock } from './lab-clock.ts';

/** Status and OAuth error of each code that the stand-in can give. */
const codes = {
  90002: { status: 400, error: 'invalid_request' },
  900144: { status: 400, error: 'invalid_request' },
  70003: { status: 400, error: 'unsupported_grant_type' },
  700016: { status: 400, error: 'unauthorized_client' },
  7000218: { status: 401, error: 'invalid_client' },
  70025: { status: 401, error: 'invalid_client' },
  50027: { status: 401, error: 'invalid_client' },
  700211: { status: 401, error: 'invalid_client' },
  700212: { status: 401, error: 'invalid_client' },
  700213: { status: 401, error: 'invalid_client' },
  7002138: { status: 401, error: 'invalid_client' },
  700024: { status: 401, error: 'invalid_client' },
  700027: { status: 401, error: 'invalid_client' },
  70011: { status: 400, error: 'invalid_scope' },
  1002012: { status: 400, error: 'invalid_scope' },
  500011: { status: 400, error: 'invalid_resource' },
} as const;

/** A code that the stand-in can give. */
export type EntraCode = keyof typeof codes;

/** Why Entra refuses; thrown within the stand-in, and turned into the answer by {@link entraRefusal}. */
export class EntraError extends Error {
  readonly code: EntraCode;

  constructor(code: EntraCode, description: string) {
    super(description);
    this.code = code;
  }
}

/** Ids that Entra puts into every answer. */
export interface AnswerIds {
  readonly traceId: string;
  readonly correlationId: string;
}

/** A trace id, and as correlation id what the client sent when it is a GUID. */
export function answerIds(clientRequestId: string | undefined): AnswerIds {
  const isGuid = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(clientRequestId ?? '');
  return { traceId: randomUUID(), correlationId: isGuid && clientRequestId ? clientRequestId : randomUUID() };
}

/** The answer that carries a refusal, in the form that Entra documents (reference-error-codes). */
export function entraRefusal(error: EntraError, ids: AnswerIds, clock: LabClock): Answer {
  const { status, error: name } = codes[error.code];
  const timestamp = `${clock.isoTime().slice(0, 19).replace('T', ' ')}Z`;
  const trailer = `Trace ID: ${ids.traceId} Correlation ID: ${ids.correlationId} Timestamp: ${timestamp}`;
  return jsonAnswer(status, {
    error: name,
    error_description: `AADSTS${error.code}: ${error.message} ${trailer}`,
    error_codes: [error.code],
    timestamp,
    trace_id: ids.traceId,
    correlation_id: ids.correlationId,
    error_uri: `https://login.microsoftonline.com/error?code=${error.code}`,
  });
}
