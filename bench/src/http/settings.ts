import { z } from 'zod';

/** What a server of this part is told, as environment variables; all listen on loopback. */
export const serverSettings = z.object({
  BENCH_PORT: z.coerce.number(),
  BENCH_HEALTH_PORT: z.coerce.number(),
  /** Of a proxy alone. */
  BENCH_UPSTREAM: z.url().default('http://127.0.0.1:1'),
});
