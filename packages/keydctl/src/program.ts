import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { z } from 'zod';
import { helpAfter } from './command-line/help.js';
import type { Install } from './command-line/define-command.js';
import type { Surroundings } from './command-line/surroundings.js';
import { accessKey } from './commands/access-key/access-key.js';
import { consoleCommand } from './commands/console.js';
import { curl } from './commands/curl.js';
import { custody } from './commands/custody/custody.js';
import { deputy } from './commands/deputy/deputy.js';
import { explain } from './commands/explain.js';
import { feedKeys } from './commands/feed-keys/feed-keys.js';
import { identity } from './commands/identity/identity.js';
import { incident } from './commands/incident/incident.js';
import { ledger } from './commands/ledger/ledger.js';
import { pki } from './commands/pki/pki.js';
import { revocation } from './commands/revocation/revocation.js';
import { revoke } from './commands/revoke.js';
import { session } from './commands/session/session.js';
import { status } from './commands/status.js';

const COMMANDS: readonly Install[] = [
  pki,
  feedKeys,
  accessKey,
  session,
  revoke,
  revocation,
  identity,
  incident,
  ledger,
  custody,
  deputy,
  status,
  consoleCommand,
  curl,
  explain,
];

const packageManifest = z.object({ version: z.string() });

/** The whole command line, writing to `surroundings` and throwing a CommanderError where it cannot be understood. */
export function createProgram(surroundings: Surroundings): Command {
  const program = new Command('keydctl')
    .description('The command line of the operator of sigv4-keyd: certificates, access keys, revocation, status.')
    .version(versionOfPackage(), '--version', 'print the version')
    .helpOption('-h, --help', 'print help')
    .helpCommand(false)
    .exitOverride()
    .configureOutput({
      writeOut: (text) => surroundings.output.write(text),
      writeErr: (text) => surroundings.errorOutput.write(text),
      // Told once, in the form of all errors, by whoever runs the program.
      outputError: () => undefined,
    })
    .addHelpText('after', helpAfter(['keydctl pki init --trust-domain keyd.local', 'keydctl status --json']));
  for (const add of COMMANDS) add(program, surroundings);
  return program;
}

function versionOfPackage(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return packageManifest.parse(manifest).version;
}
