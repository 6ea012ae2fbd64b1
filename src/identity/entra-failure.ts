import { type ErrorCode, type ProviderFacts, ScopedTokenError } from '../errors.ts';
import type { HttpResponse } from '../io/http.ts';
import { badAnswer, jsonObject, outage, providerSentence, requestIds } from '../io/unexpected-status.ts';
import { base64Of } from '../token/text-forms.ts';
import type { Assertion } from './pipeline-oidc.ts';

const peer = 'Microsoft Entra';

/** Who asked for what, for the message. */
export interface EntraAttempt {
  readonly tenantId: string;
  readonly clientId: string;
  readonly resource: string;
  readonly assertion: Assertion;
  readonly expectedAudience: string;
}

interface Advice {
  readonly code: ErrorCode;
  readonly happened: (attempt: EntraAttempt) => string;
  readonly why?: string;
  readonly next: string;
  /** Print what was presented, beside what was expected. */
  readonly trust?: true;
}

const trust = (why: string, next?: string): Advice => ({
  code: 'ENTRA_TRUST',
  happened: (attempt) => `Application ${attempt.clientId} does not trust this connection.`,
  why,
  next:
    next ??
    'Copy the issuer and subject shown above, exactly, into the federated credential of the application or managed identity. If it was created in the last ten minutes, run again.',
  trust: true,
});

/** Advice by Entra's code: learn.microsoft.com/entra/identity-platform/reference-error-codes. */
const adviceByCode: Readonly<Record<number, Advice>> = {
  70021: trust('No federated credential matches what was presented.'),
  700211: trust(
    'No federated credential has this issuer. It is compared character by character, a final slash included.',
  ),
  700212: trust(
    'No federated credential has this audience.',
    'Set the audience of the federated credential to the one presented above.',
  ),
  700213: trust('No federated credential has this subject.'),
  7002131: trust('The subject does not match the expression of the flexible federated credential.'),
  7002137: trust('No federated credential has this subject.'),
  7002138: trust('The subject matches only when upper and lower case are ignored; case matters.'),
  70025: trust('The application has no federated credential at all.'),
  700027: {
    code: 'ENTRA_TRUST',
    happened: (attempt) =>
      `Microsoft Entra could not verify the signature of the assertion for application ${attempt.clientId}.`,
    why: 'The issuer does not publish the key that signed it.',
    next: 'Run again; if it stays, compare the issuer above with the one on the service connection’s page.',
    trust: true,
  },
  700024: {
    code: 'ENTRA_ASSERTION_EXPIRED',
    happened: () => 'Microsoft Entra found the assertion outside its time of validity, also with a fresh one.',
    why: 'The clocks of Azure DevOps and Microsoft Entra are apart, or the answer was held up for minutes.',
    next: 'Run again.',
  },
  90002: {
    code: 'ENTRA_UNKNOWN_TENANT',
    happened: (attempt) => `Microsoft Entra knows no tenant ${attempt.tenantId}.`,
    why: 'The tenant id of the connection is wrong, or the tenant is in another cloud.',
    next: 'Correct the tenant id, or the environment, on the service connection’s page.',
  },
  700016: {
    code: 'ENTRA_UNKNOWN_APPLICATION',
    happened: (attempt) => `Application ${attempt.clientId} does not exist in tenant ${attempt.tenantId}.`,
    why: 'The client id is wrong, the application or identity was deleted, or it has no service principal in this tenant.',
    next: 'Correct the client id on the service connection’s page, or create the service principal: az ad sp create --id CLIENT_ID.',
  },
  500011: {
    code: 'ENTRA_REFUSED',
    happened: (attempt) => `Tenant ${attempt.tenantId} has no resource ${attempt.resource}.`,
    next: 'Check that the target’s service is registered in this tenant (az ad sp list --display-name …).',
  },
  700238: {
    code: 'ENTRA_REFUSED',
    happened: (attempt) => `Tenant ${attempt.tenantId} does not allow federation with this issuer.`,
    next: 'Ask the tenant’s administrator to allow the issuer above in the workload identity federation policy.',
    trust: true,
  },
  700223: {
    code: 'ENTRA_REFUSED',
    happened: (attempt) => `Tenant ${attempt.tenantId} does not allow workload identity federation.`,
    next: 'Ask the tenant’s administrator to allow it, or use a connection with a managed identity.',
  },
  7000112: {
    code: 'ENTRA_REFUSED',
    happened: (attempt) => `Application ${attempt.clientId} is disabled in tenant ${attempt.tenantId}.`,
    next: 'Enable its service principal, or use another connection.',
  },
  53003: {
    code: 'ENTRA_REFUSED',
    happened: () => 'A Conditional Access policy for workload identities blocked the sign-in.',
    next: 'Look at the service principal’s sign-in log with the ids below; hosted agents have changing addresses.',
  },
  900382: {
    code: 'ENTRA_REFUSED',
    happened: (attempt) => `Application ${attempt.clientId} is asked for in another cloud than its own.`,
    next: 'Correct the environment of the service connection.',
  },
};

/** Entra's own passing faults: it could not read the issuer's keys, is throttled, or has an outage. */
const passingCodes = [50166, 90061, 90024, 50033, 90033, 90012, 90055];

/** Codes of an error answer, from `error_codes` or from the text. */
export function entraCodes(response: HttpResponse): number[] {
  const body = jsonObject(response);
  const listed = body?.['error_codes'];
  if (Array.isArray(listed)) return listed.filter((code) => typeof code === 'number');
  const found = /AADSTS(\d+)/.exec(String(body?.['error_description'] ?? ''));
  return found ? [Number(found[1])] : [];
}

/** True for an error that Entra itself may get over. */
export function isPassing(response: HttpResponse): boolean {
  return response.status >= 400 && entraCodes(response).some((code) => passingCodes.includes(code));
}

/** The error for an answer that is no token. */
export function entraFailure(response: HttpResponse, attempt: EntraAttempt): ScopedTokenError {
  const code = entraCodes(response)[0];
  if (code === undefined) {
    return (
      outage(peer, response) ??
      badAnswer(
        'ENTRA_BAD_ANSWER',
        peer,
        response,
        'Run again; if it stays, look at the proxy between the agent and Microsoft Entra.',
      )
    );
  }
  const provider = providerOf(response, code);
  if (passingCodes.includes(code)) {
    return new ScopedTokenError('SERVER_UNAVAILABLE', {
      happened: `Microsoft Entra could not do its part (AADSTS${code}) after ${response.attempts} tries.`,
      why: 'It has an outage, or cannot read the keys of the issuer at the moment. The connection’s set-up need not be changed.',
      next: 'Run again later.',
      provider,
    });
  }
  const advice = adviceByCode[code];
  // A status that says "later" counts more than a code that is not known here.
  const down = advice ? undefined : outage(peer, response);
  if (down) return down;
  if (!advice) {
    const said = providerSentence(jsonObject(response)?.['error_description']);
    return new ScopedTokenError('ENTRA_REFUSED', {
      happened: `Microsoft Entra refused a token for application ${attempt.clientId} in tenant ${attempt.tenantId}.`,
      ...(said ? { why: said } : {}),
      next: `Look the code up: https://login.microsoftonline.com/error?code=${code}`,
      provider,
    });
  }
  const why = [advice.why, advice.trust ? presented(attempt) : undefined].filter(Boolean).join('\n');
  return new ScopedTokenError(advice.code, {
    happened: advice.happened(attempt),
    ...(why ? { why } : {}),
    next: advice.next,
    provider,
  });
}

function presented(attempt: EntraAttempt): string {
  const { issuer, subject, audience } = attempt.assertion;
  const rows = [
    `  presented issuer:   "${issuer}"`,
    `  presented subject:  "${subject}"`,
    `  presented audience: "${audience}" (expected "${attempt.expectedAudience}")`,
    `  issuer and subject in base64, where the log masks a part: ${base64Of(issuer)} ${base64Of(subject)}`,
  ];
  return rows.join('\n');
}

function providerOf(response: HttpResponse, code: number): ProviderFacts {
  const body = jsonObject(response);
  const ids: Record<string, string> = { ...requestIds(response) };
  for (const name of ['trace_id', 'correlation_id', 'timestamp']) {
    const value = body?.[name];
    if (typeof value === 'string' && /^[\w:. -]{1,64}$/.test(value)) ids[name] = value;
  }
  return { code: `AADSTS${code}`, ids };
}
