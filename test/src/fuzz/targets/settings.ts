import { parseDatabaseUrl } from '@sigv4-keyd/master-keyd';
import {
  bytes,
  ConfigurationError,
  count,
  httpsUrls,
  httpUrl,
  list,
  listenAddress,
  readConfiguration,
  seconds,
  trustDomain,
  yesOrNo,
} from '@sigv4-keyd/service-skeleton';
import { z } from 'zod';
import { hold, type Target } from '../engine/target.js';
import { linesAsHeaders } from './request-parts.js';

const KINDS = z
  .object({ bytes, count, httpUrl, httpsUrls, list, listenAddress, seconds, trustDomain, yesOrNo })
  .partial();
const COVERS = ['packages/service-skeleton/dist/settings', 'packages/service-skeleton/dist/configuration'];

/** `NAME:VALUE`, a variable a line. */
const environment: Target = {
  name: 'settings',
  covers: COVERS,
  seeds: [
    'KEYD_BYTES:64KiB\nKEYD_COUNT:12\nKEYD_HTTP_URL:http://a:1\nKEYD_HTTPS_URLS:https://a,https://b:8443\nKEYD_LIST:a, b',
    'KEYD_LISTEN_ADDRESS:[::1]:8443\nKEYD_SECONDS:7d\nKEYD_TRUST_DOMAIN:keyd.example\nKEYD_YES_OR_NO:yes\nPATH:x',
    'KEYD_LISTEN_ADDRESS::99999\nKEYD_SECONDS:1.5h\nKEYD_HTTPS_URLS:https://a/b\nKEYD_UNKNOWN:1\nKEYD_LIST:,',
  ],
  words: ['KEYD_', 'https://', '999999999', 'GiB', 'd', '[::]:', ':0', ',', '\n', '@', '?', '#', '/'],
  run(input) {
    const pairs = linesAsHeaders(input.toString('utf8'));
    const env: Record<string, string> = {};
    for (let at = 0; at < pairs.length; at += 2) {
      const name = pairs[at] ?? '';
      // What these name is read from files.
      if (!name.endsWith('_FILE')) env[name] = pairs[at + 1] ?? '';
    }
    try {
      const read = readConfiguration(KINDS, env);
      for (const number of [read.bytes, read.count, read.seconds]) {
        hold(number === undefined || (Number.isSafeInteger(number) && number >= 0), 'a whole number that is exact');
      }
      hold((read.listenAddress?.port ?? 0) <= 65_535, 'a port that there is');
      for (const url of read.httpsUrls ?? [])
        hold(url.href === `${url.origin}/` && url.protocol === 'https:', 'an origin');
      return Object.keys(read).length > 0;
    } catch (error) {
      if (!(error instanceof ConfigurationError)) throw error;
      hold(error.problems.length > 0, 'says what is wrong');
      return false;
    }
  },
};

const databaseUrl: Target = {
  name: 'database-url',
  covers: ['services/master-keyd/dist/database/database-url'],
  seeds: [
    'postgres://keyd:pass@db:5432/keyd',
    'postgresql://u@a:1,b:2/keyd?target_session_attrs=primary&sslmode=verify-full',
    'postgres://u@%2Fvar%2Frun/keyd?host=/tmp',
  ],
  words: ['postgres://', '%2F', '%', '@', ',', ':5432', '/keyd', '?host=', 'target_session_attrs=', 'any', '[::1]'],
  run(input) {
    const url = parseDatabaseUrl(input.toString('utf8'));
    if (url === undefined) return false;
    hold(url.hosts.length > 0, 'a host at least');
    hold(
      url.hosts.every(({ connectionString }) => URL.canParse(connectionString)),
      'URLs, for the driver',
    );
    return true;
  },
};

export const SETTINGS: readonly Target[] = [environment, databaseUrl];
