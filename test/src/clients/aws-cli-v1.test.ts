import { awsCli, findAwsCli } from './aws-cli.js';
import { notInstalled, testClient } from './client-test.js';

const program = findAwsCli(1);
const name = 'AWS CLI v1';

testClient({ name, skip: program === undefined && notInstalled(name), client: () => awsCli(program ?? '') });
