const ESCAPES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
  "'": '&apos;',
};
// XML 1.0, 2.2: most control characters cannot be written in XML at all, not even escaped.
// Built from a text, since a pattern must not hold control characters.
const NOT_XML = new RegExp('[^\\t\\n\\r\\u0020-\\ud7ff\\ue000-\\ufffd]', 'g');

/** Text for the content of an element or attribute. */
export function escapeXml(text: string): string {
  return text.replace(NOT_XML, '\ufffd').replace(/[&<>"']/g, (character) => ESCAPES[character] ?? '');
}

/** One element after the other, each with text. */
export function elements(texts: Readonly<Record<string, string>>): string {
  return Object.entries(texts)
    .map(([name, text]) => `<${name}>${escapeXml(text)}</${name}>`)
    .join('');
}

/** The first line of every XML document here. */
export const XML_DECLARATION = '<?xml version="1.0" encoding="UTF-8"?>\n';
