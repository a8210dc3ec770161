import { z } from 'zod';

/** What the command line has to know of an option besides the form of its value. */
const optionFacts = z.object({
  about: z.string(),
  /** The word that stands for the value in `--help`; absent for a switch. */
  value: z.string().optional(),
  /** May be given several times, and each time with several values separated by commas. */
  isList: z.boolean().optional(),
  /** The environment variable that stands in when the option is not given. */
  env: z.string().optional(),
});
export type OptionFacts = z.infer<typeof optionFacts>;

/** An option of a command: the form of its value and how it is called, in one place. */
export function option<Schema extends z.ZodType>(schema: Schema, facts: OptionFacts): Schema {
  return schema.meta({ ...facts });
}

export function optionFactsOf(field: z.core.$ZodType): OptionFacts {
  return optionFacts.parse(z.globalRegistry.get(field));
}

/** The spelling of an option on the command line: `secretFile` is `--secret-file`. */
export function longFlag(name: string): string {
  return `--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

/** A switch: given or not. */
export function flag(about: string): z.ZodDefault<z.ZodBoolean> {
  return option(z.boolean().default(false), { about });
}

/** `a,b,c`, or the option several times: the parts, trimmed, none empty, none twice. */
export function listOf<Part extends z.ZodType<string, string>>(
  part: Part,
): z.ZodPipe<z.ZodType<string[], string>, z.ZodArray<Part>> {
  return z
    .string()
    .transform((text) => [...new Set(text.split(',').map((item) => item.trim()))])
    .pipe(z.array(part));
}
