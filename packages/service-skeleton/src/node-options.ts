/** The options that this process was started with: on its command line, and in NODE_OPTIONS. */
export function nodeOptions(): readonly string[] {
  return [...process.execArgv, ...optionsIn(process.env['NODE_OPTIONS'] ?? '')];
}

/** NODE_OPTIONS as Node.js parts it: by spaces, but for those between double quotes, in which a backslash escapes. */
export function optionsIn(text: string): readonly string[] {
  const options: string[] = [];
  for (const [option] of text.matchAll(/(?:"(?:\\.|[^"\\])*"?|[^ "])+/gs)) {
    options.push(
      option.replaceAll(/"((?:\\.|[^"\\])*)"?/gs, (_, quoted: string) => quoted.replaceAll(/\\(.)/gs, '$1')),
    );
  }
  return options;
}
