import type { Application, FederatedCredential } from './directory.ts';
import { EntraError } from './entra-errors.ts';
import type { LabClock } from './lab-clock.ts';
import { type Claims, claimNumber, claimText, readClaims, type SigningKey } from './signing-key.ts';

/** Entra's own tolerance for clocks that differ. */
const clockToleranceSeconds = 300;

/** What judging an assertion needs. */
export interface AssertionContext {
  readonly clock: LabClock;
  /** The key of an issuer, as its key set would tell; undefined when nobody is there. */
  issuerKey(issuer: string): SigningKey | undefined;
}

/**
 * Holds an assertion against an application's federated credentials: issuer, subject (case matters), audience,
 * signature, times. Throws the {@link EntraError} that Entra would answer with. Entra does not refuse a replay.
 */
export async function judgeAssertion(
  assertion: string,
  application: Application,
  context: AssertionContext,
): Promise<void> {
  const claims = readClaims(assertion);
  if (!claims) throw new EntraError(50027, 'JWT token is invalid or malformed.');
  if (application.federatedCredentials.length === 0) {
    throw new EntraError(
      70025,
      `The client '${application.clientId}'(${application.displayName}) has no configured federated identity credentials.`,
    );
  }
  matchCredential(claims, application.federatedCredentials);
  const key = context.issuerKey(claimText(claims, 'iss'));
  if (!key || !(await key.verify(assertion))) {
    throw new EntraError(
      700027,
      'The certificate with identifier used to sign the client assertion is not known, or the signature is wrong.',
    );
  }
  judgeTimes(claims, context.clock);
}

function matchCredential(claims: Claims, credentials: readonly FederatedCredential[]): void {
  const issuer = claimText(claims, 'iss');
  const subject = claimText(claims, 'sub');
  const audience = claimText(claims, 'aud');
  const advice =
    'Check your federated identity credential Subject, Audience and Issuer against the presented assertion.';
  const ofIssuer = credentials.filter((credential) => credential.issuer === issuer);
  if (ofIssuer.length === 0) {
    throw new EntraError(
      700211,
      `No matching federated identity record found for presented assertion issuer '${issuer}'. ${advice}`,
    );
  }
  const ofSubject = ofIssuer.filter((credential) => credential.subject === subject);
  if (ofSubject.length === 0) {
    const lower = subject.toLowerCase();
    if (ofIssuer.some((credential) => credential.subject.toLowerCase() === lower)) {
      throw new EntraError(
        7002138,
        `No matching federated identity record found for presented assertion subject '${subject}'. The subject of a record differs from it in letter case only. ${advice}`,
      );
    }
    throw new EntraError(
      700213,
      `No matching federated identity record found for presented assertion subject '${subject}'. ${advice}`,
    );
  }
  if (!ofSubject.some((credential) => credential.audience === audience)) {
    throw new EntraError(
      700212,
      `No matching federated identity record found for presented assertion audience '${audience}'. ${advice}`,
    );
  }
}

function judgeTimes(claims: Claims, clock: LabClock): void {
  const notBefore = claimNumber(claims, 'nbf') ?? 0;
  const expires = claimNumber(claims, 'exp') ?? 0;
  const now = clock.nowSeconds();
  if (now + clockToleranceSeconds >= notBefore && now - clockToleranceSeconds < expires) return;
  const iso = (seconds: number): string => new Date(seconds * 1000).toISOString();
  throw new EntraError(
    700024,
    `Client assertion is not within its valid time range. Current time: ${clock.isoTime()}, assertion valid from ${iso(notBefore)}, expiry time of assertion ${iso(expires)}.`,
  );
}
