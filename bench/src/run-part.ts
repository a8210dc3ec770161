import { benchOptions } from './bench-part.js';
import { loadPart } from './parts.js';

/** The program of a part's own process: `run-part.js NAME OPTIONS-AS-JSON`, the result as a message to the parent. */
const [name = '', options = ''] = process.argv.slice(2);
const part = await loadPart(name);
const result = await part.run(benchOptions.parse(JSON.parse(options)));
process.send?.(result, () => process.disconnect());
