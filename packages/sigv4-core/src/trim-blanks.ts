const SPACE = 0x20;
const TAB = 0x09;

/** Without the spaces and tabs at its ends. `trim` takes other bytes for blanks, such as 0xA0, and HTTP does not. */
export function trimBlanks(text: string): string {
  let start = 0;
  let end = text.length;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}
