import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { z } from 'zod';
import { helpAfter } from './command-line/help.js';
import type { Install } from './command-line/define-command.js';
import type { Surroundings } from './command-line/surroundings.js';
import { create } from './commands/access-key/create.js';
import { deleteForGood } from './commands/access-key/delete.js';
import { disable } from './commands/access-key/disable.js';
import { enable } from './commands/access-key/enable.js';
import { importExisting } from './commands/access-key/import.js';
import { list } from './commands/access-key/list.js';
import { show } from './commands/access-key/show.js';
import { report as incidentReport } from './commands/incident/report.js';
import { bundle } from './commands/pki/bundle.js';
import { init } from './commands/pki/init.js';
import { install } from './commands/pki/install.js';
import { issue } from './commands/pki/issue.js';
import { list as listCertificates } from './commands/pki/list.js';
import { renew } from './commands/pki/renew.js';
import { request } from './commands/pki/request.js';
import { sign } from './commands/pki/sign.js';
import { status } from './commands/status.js';

interface Group {
  readonly name: string;
  readonly summary: string;
  readonly commands: readonly Install[];
  readonly examples: readonly string[];
}

const GROUPS: readonly Group[] = [
  {
    name: 'pki',
    summary: 'a certificate authority of your own, and its certificates; works on files alone',
    commands: [init, issue, renew, request, sign, install, listCertificates, bundle],
    examples: ['keydctl pki init --trust-domain keyd.local', 'keydctl pki issue operator alice', 'keydctl pki list'],
  },
  {
    name: 'access-key',
    summary: 'the access keys that clients sign with; asks master-keyd',
    commands: [create, importExisting, list, show, enable, disable, deleteForGood],
    examples: ['keydctl access-key create --owner ci --expires 90d', 'keydctl access-key list'],
  },
  {
    name: 'incident',
    summary: 'what an incident has touched, and what is good; asks master-keyd',
    commands: [incidentReport],
    examples: ['keydctl incident report --region us-east-1 --from 2026-11-01'],
  },
];

const packageManifest = z.object({ version: z.string() });

/** The whole command line, writing to `surroundings` and throwing a CommanderError where it cannot be understood. */
export function createProgram(surroundings: Surroundings): Command {
  const program = new Command('keydctl')
    .description('The command line of the operator of sigv4-keyd: certificates, access keys, status.')
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
  for (const { name, summary, commands, examples } of GROUPS) {
    const group = program
      .command(name)
      .helpCommand(false)
      .description(summary)
      .addHelpText('after', helpAfter(examples));
    for (const add of commands) add(group, surroundings);
  }
  status(program, surroundings);
  return program;
}

function versionOfPackage(): string {
  const manifest: unknown = JSON.parse(readFileSync(new URL('../package.json', import.meta.url), 'utf8'));
  return packageManifest.parse(manifest).version;
}
