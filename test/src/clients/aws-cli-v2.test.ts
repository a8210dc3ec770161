import { awsCli, findAwsCli } from './aws-cli.js';
import { notInstalled, testClient } from './client-test.js';

const program = findAwsCli(2);
const name = 'AWS CLI v2';

testClient({ name, skip: program === undefined && notInstalled(name), client: () => awsCli(program ?? '') });
