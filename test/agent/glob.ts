function translate(pattern: string): string {
  return pattern.replace(/\*\*\/?|[*?]|\[[^\]]+\]|\{[^}]*\}|[\\^$.|+()[\]{}]/g, (token) => {
    if (token.startsWith('**')) {
      return token.endsWith('/') ? '(?:.*/)?' : '.*';
    }
    if (token === '*') {
      return '[^/]*';
    }
    if (token === '?') {
      return '[^/]';
    }
    if (token.length > 1 && token.startsWith('[')) {
      return token.replace(/^\[!/, '[^');
    }
    if (token.length > 1 && token.startsWith('{')) {
      return `(?:${token.slice(1, -1).split(',').map(translate).join('|')})`;
    }
    return `\\${token}`;
  });
}

/** Whether a name matches a pattern of `*`, `?`, `[…]`, `{a,b}` and `**`; without case, as settable variables are. */
export function matchesGlob(name: string, pattern: string): boolean {
  return new RegExp(`^${translate(pattern)}$`, 'is').test(name);
}
