import { spawnSync } from 'node:child_process';
import { render, VARIANTS } from './stack-files.js';

/** Compose is a plugin of docker (v2) or a program of its own (v1): how to call what there is. */
export function composeProgram(): readonly string[] | undefined {
  const programs = [['docker', 'compose'], ['docker-compose']] as const;
  return programs.find(([program, ...first]) => spawnSync(program, [...first, 'version']).status === 0);
}

/** False where the stack can be brought up; otherwise why it is not, in capitals. */
export function stackMissing(): string | false {
  if (spawnSync('docker', ['info']).status !== 0) {
    return 'NO DOCKER ENGINE IS RUNNING HERE: the Compose stack was not tested';
  }
  if (composeProgram() === undefined) return 'DOCKER COMPOSE IS NOT INSTALLED: the Compose stack was not tested';
  const { upstream, postgres } = render(VARIANTS['one region']).services;
  const bases = [
    process.env['NODE_IMAGE'] ?? upstream?.build?.args?.['NODE_IMAGE'] ?? '',
    process.env['POSTGRES_IMAGE'] ?? postgres?.image ?? '',
  ];
  return bases.map(imageMissing).find((reason) => reason !== false) ?? false;
}

/** False where an image is here or can be had; otherwise what was not tested for the want of it. */
export function imageMissing(image: string): string | false {
  const isHere = spawnSync('docker', ['image', 'inspect', image]).status === 0;
  return isHere || spawnSync('docker', ['pull', '--quiet', image]).status === 0
    ? false
    : `${image.toUpperCase()} IS NOT HERE AND CANNOT BE HAD: what runs in it was not tested`;
}
