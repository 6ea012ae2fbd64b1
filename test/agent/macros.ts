/** Looks a name up; `undefined` leaves the macro as it stands. */
export type MacroLookup = (name: string) => string | undefined;

/** Replaces `$(name)` once: what a value brings in is not looked at again. */
export function expandMacros(text: string, lookup: MacroLookup): string {
  let expanded = text;
  let from = 0;
  for (;;) {
    const start = expanded.indexOf('$(', from);
    const end = start < 0 ? -1 : expanded.indexOf(')', start + 2);
    if (end < 0) {
      return expanded;
    }
    const name = expanded.slice(start + 2, end);
    const value = name === '' ? undefined : lookup(name);
    if (value === undefined) {
      from = start + 1;
    } else {
      expanded = expanded.slice(0, start) + value + expanded.slice(end + 1);
      from = start + value.length;
    }
  }
}
