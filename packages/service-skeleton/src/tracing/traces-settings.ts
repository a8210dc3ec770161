import { z } from 'zod';

/** `http(s)://HOST:PORT`, also with a path below which a collector answers: /v1/traces is added. */
const collector = z.string().transform((text, context): URL => {
  const url = URL.canParse(text) ? new URL(text) : undefined;
  const isPlain = url?.username === '' && url.password === '' && url.search === '' && url.hash === '';
  if (url && isPlain && ['http:', 'https:'].includes(url.protocol) && !/[?#]$/.test(text)) return url;
  const message = 'must be http(s)://HOST:PORT of an OTLP/HTTP collector, also with a path; without user or query';
  context.issues.push({ code: 'custom', input: undefined, message });
  return z.NEVER;
});

/** From 0 to 1. */
const share = z
  .string()
  .regex(/^(?:0(?:\.\d{1,9})?|1(?:\.0{1,9})?)$/, 'must be a number from 0 to 1, such as 0.01')
  .transform(Number);

/** Whether and where a service tells OpenTelemetry of its requests. */
export const tracesSettings = {
  tracesEndpoint: collector
    .optional()
    .describe('OTLP/HTTP collector that traces are sent to, such as http://127.0.0.1:4318; absent: nothing is traced'),
  tracesRatio: share
    .prefault('1')
    .describe(
      'Share of traces, from 0 to 1, that are sent of those that begin here; the tiers below decide for theirs',
    ),
};

export type TracesSettings = z.output<z.ZodObject<typeof tracesSettings>>;
