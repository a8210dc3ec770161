import type { Command } from 'commander';
import type { Install } from './define-command.js';
import { helpAfter } from './help.js';

export interface GroupDefinition {
  readonly name: string;
  readonly summary: string;
  /** In the order of `--help`; groups may hold groups. */
  readonly commands: readonly Install[];
  readonly examples: readonly string[];
}

/** Commands under a common first word. */
export function defineGroup({ name, summary, commands, examples }: GroupDefinition): Install {
  return (parent: Command, surroundings) => {
    const group = parent
      .command(name)
      .helpCommand(false)
      .description(summary)
      .addHelpText('after', helpAfter(examples));
    for (const add of commands) add(group, surroundings);
  };
}
