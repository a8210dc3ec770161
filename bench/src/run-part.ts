import { benchOptions } from './bench-part.js';
import { loadPart } from './parts.js';

/** The program of a part's own process: `run-part.js NAME OPTIONS-AS-JSON`, the result as a message to the parent. */
const [name = '', options = ''] = process.argv.slice(2);
/** Nobody is left who wants the result: all that was started for it ends, being of the same group. */
const onGone = (): void => void process.kill(0, 'SIGTERM');
process.once('disconnect', onGone);
const part = await loadPart(name);
const result = await part.run(benchOptions.parse(JSON.parse(options)));
process.off('disconnect', onGone);
process.send?.(result, () => process.disconnect());
