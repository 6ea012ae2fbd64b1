import type { NarrowedToken } from '../token/narrowed-token.ts';
import { Secret } from '../token/secret.ts';
import { maskedForms } from '../token/text-forms.ts';
import type { Stage } from './stage.ts';
import type { TokenRequest } from './token-request.ts';

/** A clock that is off by more is worth a warning, in seconds. */
const notedSkewSeconds = 120;
/** Windows cannot map a longer value into an environment variable. */
const longestWindowsValue = 32_767;

/** What the record says of the token. */
export interface Recorded {
  readonly recordId: string;
  readonly fingerprint: string;
}

/** Masks every form of the token, then sets the variable and the outputs, and says how to use it. */
export function exposeToken(stage: Stage, request: TokenRequest, token: NarrowedToken, recorded: Recorded): void {
  const { pipeline } = stage;
  const value = token.value.reveal();
  warn(stage, request, token);
  for (const secret of token.maskAlso) pipeline.mask(secret);
  for (const form of maskedForms(value)) pipeline.mask(new Secret(form));
  pipeline.setSecretVariable(request.variable, token.value);
  const outputs: [string, string][] = [
    ['issued', 'true'],
    ['enforcement', token.enforcement],
    ['proof', token.proof],
    ['expiresOn', token.expiresOn.toISOString()],
    ['grantedScopes', token.granted.join('; ')],
    ['excess', token.excess.join('; ')],
    ['fingerprint', recorded.fingerprint],
    ['recordId', recorded.recordId],
  ];
  for (const [name, text] of outputs) pipeline.setOutput(name, text);
  tell(stage, request, token);
}

function warn({ pipeline, io }: Stage, request: TokenRequest, token: NarrowedToken): void {
  for (const warning of token.warnings) pipeline.warning('TOKEN_NOTE', warning);
  if (token.missing.length > 0) {
    pipeline.warning(
      'GRANTED_LESS',
      `${request.plan.resource} granted less than was declared; missing: ${token.missing.join('; ')}. The identity has no role for it.`,
    );
  }
  if (pipeline.hasSecretVariable(request.variable)) {
    pipeline.warning(
      'VARIABLE_TAKEN',
      `${request.variable} is a secret variable already. Its value is replaced for the steps after this one; choose another name to keep both.`,
    );
  }
  const skew = io.http.skewSeconds();
  if (skew !== undefined && Math.abs(skew) > notedSkewSeconds) {
    pipeline.warning(
      'CLOCK_SKEW',
      `The agent's clock is ${Math.abs(skew)} seconds ${skew > 0 ? 'ahead of' : 'behind'} the servers'. Their time was used; set the clock (NTP).`,
    );
  }
  const lifetime = Math.round((token.expiresOn.getTime() - io.clock.now().getTime()) / 1000 + (skew ?? 0));
  if (lifetime > request.lifetimeSeconds + 60) {
    pipeline.warning(
      'LIFETIME_LONGER',
      `The token lives ${Math.round(lifetime / 60)} minutes, not ${request.lifetimeSeconds / 60}: ${request.plan.resource} decides that itself. Both are recorded.`,
    );
  }
  if (pipeline.variable('Agent.OS') === 'Windows_NT' && token.value.reveal().length > longestWindowsValue) {
    pipeline.warning('VALUE_LONG', 'The token is longer than Windows can map into an environment variable.');
  }
}

const proofWords: Readonly<Record<NarrowedToken['proof'], string>> = {
  readBack: 'what was granted was read back and compared',
  constructed: 'the restriction is in the token, the service checks it at every use',
  assumed: 'not confirmed',
};

function tell({ pipeline }: Stage, request: TokenRequest, token: NarrowedToken): void {
  const { plan, targetName, variable } = request;
  const lines = [
    `Token for ${targetName} ${plan.resource}`,
    `  asked:       ${plan.asked.join('; ')}`,
    `  granted:     ${token.granted.join('; ')}`,
    `  enforcement: ${token.enforcement}`,
    `  proof:       ${token.proof} (${proofWords[token.proof]})`,
    ...token.notChecked.map((entry) => `  not checked: ${entry}`),
    `  expires:     ${token.expiresOn.toISOString()}`,
    `  variable:    ${variable} (secret, for later steps of this job)`,
    'To use it, paste into the steps after this one:',
    ...plan.usage(variable).map((line) => `    ${line}`),
  ];
  for (const line of lines) pipeline.info(line);
}
