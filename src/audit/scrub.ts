/** Stands where a secret stood. */
export const scrubbed = '[secret]';

/**
 * Shorter secrets are not looked for. They guard nothing, and a secret such as `1` or `on` would blot out half of every
 * record.
 */
export const shortestScrubbedLength = 4;

/** A longer text is cut, and says so. Keeps a record readable, whatever an author writes into `purpose`. */
export const longestText = 4096;

/**
 * Makes a function that takes out of a text: every occurrence of a secret of at least
 * {@link shortestScrubbedLength} characters; whatever looks like a JSON Web Token; a URL's user information, query values and
 * `sig=` values. The last three are a second net, for values that nobody registered.
 */
export function scrubber(secrets: readonly string[]): (text: string) => string {
  const needles = [...new Set(secrets)].filter((secret) => secret.length >= shortestScrubbedLength);
  return (text) => cut(withoutQueryValues(withoutTokens(withoutSecrets(text, needles))));
}

/** Occurrences are found before anything is replaced, so that overlapping secrets leave no rest of each other. */
function withoutSecrets(text: string, needles: readonly string[]): string {
  const hits: [start: number, end: number][] = [];
  for (const needle of needles) {
    for (let at = text.indexOf(needle); at >= 0; at = text.indexOf(needle, at + 1)) hits.push([at, at + needle.length]);
  }
  if (hits.length === 0) return text;
  hits.sort(([a], [b]) => a - b);
  let result = '';
  let done = -1;
  for (const [start, end] of hits) {
    if (start > done) result += text.slice(Math.max(done, 0), start) + scrubbed;
    done = Math.max(done, end);
  }
  return result + text.slice(done);
}

/** Three or more parts of base64url, joined by dots, from `eyJ` on: RFC 7519 §3, signed, unsigned or encrypted. */
function withoutTokens(text: string): string {
  return text.replace(/[\w.-]+/g, (run) => {
    const start = run.indexOf('eyJ');
    if (start < 0) return run;
    const parts = run.slice(start).split('.').length;
    return parts >= 3 ? run.slice(0, start) + scrubbed : run;
  });
}

function withoutQueryValues(text: string): string {
  return text
    .replace(/\/\/[^\s/@]{1,256}@/g, `//${scrubbed}@`)
    .replace(/([?&][\w.$%~-]{1,64}=)[^\s&#"'<>]+/g, `$1${scrubbed}`)
    .replace(/\b(sig=)[^\s&#"'<>]+/gi, `$1${scrubbed}`);
}

function cut(text: string): string {
  if (text.length <= longestText) return text;
  // not between the halves of a surrogate pair
  const end = /[\uD800-\uDBFF]/.test(text.charAt(longestText - 1)) ? longestText - 1 : longestText;
  return `${text.slice(0, end)}… [${text.length - end} more characters]`;
}
