import { defineGroup } from '../../command-line/group.js';
import { create } from './create.js';
import { retire } from './retire.js';
import { rotate } from './rotate.js';
import { show } from './show.js';

export const feedKeys = defineGroup({
  name: 'feed-keys',
  summary: 'the keys that sign revocations, beacons and lifts; works on files alone',
  commands: [create, show, rotate, retire],
  examples: ['keydctl feed-keys create --out ./feed-keys', 'keydctl feed-keys show'],
});
