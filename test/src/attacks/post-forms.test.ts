import type { AnyRefusalReason } from '@sigv4-keyd/sigv4-answers';
import t from 'tap';
import { HOST, NOW, signed, type Message } from '../edge-verifier/client.js';
import {
  BOUNDARY,
  END,
  filePart,
  form,
  part,
  signedFields,
  type FormDraft,
} from '../edge-verifier/post-form-client.js';
import { checkAftermath } from './attacks.js';
import { startFronts } from './fronts.js';
import { headerOf } from './tampering.js';

interface FormAttack {
  /** What it tries. */
  readonly name: string;
  /** The form without the attack. */
  readonly honest?: FormDraft;
  readonly reasons: readonly AnyRefusalReason[];
  readonly make: (draft: FormDraft) => Message;
}

const MALFORMED = ['malformed-form'] as const;
const condition = ['post-policy-condition-failed'] as const;

function changed(fields: FormDraft['changed']): (draft: FormDraft) => Message {
  return (draft) => form({ ...draft, ...(fields && { changed: fields }) });
}

function drafted(more: FormDraft): (draft: FormDraft) => Message {
  return (draft) => form({ ...draft, ...more });
}

/** The parts of an honest form, with others between its fields and its file, or behind that. */
function arranged(before: readonly Buffer[], behind: readonly Buffer[] = []): (draft: FormDraft) => Message {
  return (draft) => {
    const fields = signedFields(draft).map(([name, value]) => part(name, value));
    return form({ ...draft, body: Buffer.concat([...fields, ...before, filePart('x'), ...behind, Buffer.from(END)]) });
  };
}

function headed(...headers: readonly (readonly [string, string])[]): (draft: FormDraft) => Message {
  return drafted({ headers });
}

/** A policy of the attacker's own making under the signature of another one. */
function policy(conditions: readonly unknown[], expiration = '2026-11-22T11:00:00Z'): string {
  return Buffer.from(JSON.stringify({ expiration, conditions })).toString('base64');
}

const STARTS: FormDraft = { conditions: [{ kind: 'starts-with', field: 'key', value: 'user/' }] };
const RANGE: FormDraft = { conditions: [{ kind: 'content-length-range', least: 5, most: 20 }] };

const ATTACKS: readonly FormAttack[] = [
  { name: 'no signature', reasons: ['missing-form-field'], make: changed({ 'x-amz-signature': undefined }) },
  { name: 'no policy', reasons: ['missing-form-field'], make: changed({ policy: undefined }) },
  { name: 'an empty signature', reasons: ['missing-form-field'], make: changed({ 'x-amz-signature': '' }) },
  {
    name: 'a made-up signature',
    reasons: ['signature-mismatch'],
    make: changed({ 'x-amz-signature': '0'.repeat(64) }),
  },
  {
    name: 'version 2 of the scheme',
    reasons: ['missing-form-field'],
    make: changed({
      'x-amz-signature': undefined,
      'x-amz-algorithm': undefined,
      'x-amz-credential': undefined,
      signature: 'abc=',
      awsaccesskeyid: 'AKIA',
    }),
  },
  {
    name: 'another algorithm',
    reasons: ['unsupported-algorithm'],
    make: changed({ 'x-amz-algorithm': 'AWS4-HMAC-SHA1' }),
  },
  {
    name: 'the algorithm of ECDSA',
    reasons: ['unsupported-algorithm'],
    make: changed({ 'x-amz-algorithm': 'AWS4-ECDSA-P256-SHA256' }),
  },
  {
    name: 'a wider policy under the old signature',
    reasons: ['signature-mismatch', 'form-field-not-in-policy', 'post-policy-condition-failed'],
    make: changed({ policy: policy([['starts-with', '$key', '']]) }),
  },
  { name: 'a policy without conditions', reasons: ['malformed-post-policy'], make: changed({ policy: policy([]) }) },
  {
    name: 'a policy that ends at no real instant',
    reasons: ['malformed-post-policy'],
    make: changed({ policy: policy([{ key: 'a' }], '2026-13-22T11:00:00Z') }),
  },
  {
    name: 'the day of another key',
    reasons: ['scope-date-mismatch'],
    make: changed({ 'x-amz-date': '20261121T100000Z' }),
  },
  { name: 'an expired policy', reasons: ['post-policy-expired'], make: drafted({ now: NOW - 7_200_000 }) },
  {
    name: 'signed ahead, to live longer',
    reasons: ['post-policy-not-yet-valid'],
    make: drafted({ now: NOW + 1_000_000 }),
  },
  { name: 'another region', reasons: ['wrong-region'], make: drafted({ region: 'us-east-1' }) },
  { name: 'another service', reasons: ['wrong-service'], make: drafted({ service: 'sqs' }) },
  { name: 'another key than was signed', reasons: condition, make: changed({ key: 'user/dog.jpg' }) },
  {
    name: 'a key outside of what was allowed',
    honest: STARTS,
    reasons: condition,
    make: changed({ key: 'root/cat.jpg' }),
  },
  {
    name: 'a key that leaves its folder by the name of the file',
    honest: { fields: { key: 'user/${filename}' } },
    reasons: ['malformed-form'],
    make: drafted({ filename: '../root/cat.jpg' }),
  },
  {
    name: 'a field that the policy does not speak of',
    reasons: ['form-field-not-in-policy'],
    make: changed({ acl: 'public-read' }),
  },
  {
    name: 'a redirect that the policy does not speak of',
    reasons: ['form-field-not-in-policy'],
    make: changed({ success_action_redirect: 'https://evil.example/' }),
  },
  { name: 'another bucket in the path', reasons: condition, make: drafted({ target: '/others' }) },
  { name: 'another bucket in the host', reasons: condition, make: drafted({ target: '/', host: `others.${HOST}` }) },
  { name: 'another bucket in a field', reasons: condition, make: changed({ bucket: 'others' }) },
  {
    name: 'a bucket in the encoding of URLs',
    reasons: ['form-target-refused'],
    make: drafted({ target: '/%70hotos' }),
  },
  {
    name: 'a query that asks for something else',
    reasons: ['form-target-refused'],
    make: drafted({ target: '/photos?delete' }),
  },
  {
    name: 'a file that is too large',
    honest: RANGE,
    reasons: ['file-too-large'],
    make: drafted({ file: 'x'.repeat(21) }),
  },
  { name: 'a file that is too small', honest: RANGE, reasons: ['file-too-small'], make: drafted({ file: 'x' }) },
  {
    name: 'a header that says what becomes of the object',
    reasons: ['header-not-signed'],
    make: headed(['x-amz-acl', 'public-read']),
  },
  {
    name: 'such a header in another spelling',
    reasons: ['header-not-signed'],
    make: headed(['x_amz_acl', 'public-read']),
  },
  {
    name: 'a header that stands for the method',
    reasons: ['header-not-signed'],
    make: headed(['x-http-method-override', 'DELETE']),
  },
  { name: 'an encoding of the body', reasons: MALFORMED, make: headed(['content-encoding', 'gzip']) },
  { name: 'a field twice', reasons: ['duplicate-form-field'], make: arranged([part('key', 'root/cat.jpg')]) },
  {
    name: 'a field twice, in another case',
    reasons: ['duplicate-form-field'],
    make: arranged([part('Key', 'root/cat.jpg')]),
  },
  { name: 'a field behind the file', reasons: ['file-not-last'], make: arranged([], [part('key', 'root/cat.jpg')]) },
  { name: 'two files', reasons: ['file-not-last', 'malformed-form'], make: arranged([], [filePart('y')]) },
  { name: 'a name in quotes within quotes', reasons: MALFORMED, make: arranged([part('a\\"; name=\\"key', 'x')]) },
  { name: 'two names', reasons: MALFORMED, make: arranged([part('a', 'x', '; name="key"')]) },
  {
    name: 'a name in another character set',
    reasons: MALFORMED,
    make: arranged([part('a', 'x', "; name*=utf-8''key")]),
  },
  {
    name: 'a filename in another character set',
    reasons: MALFORMED,
    make: drafted({ filename: `a"; filename*=utf-8''b` }),
  },
  {
    name: 'a field in base64',
    reasons: MALFORMED,
    make: arranged([part('x-ignore-a', 'eA==', '\r\nContent-Transfer-Encoding: base64')]),
  },
  {
    name: 'a folded line in a part',
    reasons: MALFORMED,
    make: arranged([part('x-ignore-a', 'x', ';\r\n filename="y"')]),
  },
  {
    name: 'a field with a boundary inside',
    reasons: MALFORMED,
    make: arranged([part('x-ignore-a', `x--${BOUNDARY}y`)]),
  },
  { name: 'a field with a NUL', reasons: MALFORMED, make: arranged([part('x-ignore-a', 'x\u0000y')]) },
  {
    name: 'a beginning before the first boundary',
    reasons: MALFORMED,
    make: (draft) => form({ ...draft, body: Buffer.concat([Buffer.from('x\r\n'), form(draft).body]) }),
  },
  {
    name: 'something behind the last boundary',
    reasons: MALFORMED,
    make: (draft) => form({ ...draft, body: Buffer.concat([form(draft).body, Buffer.from('x')]) }),
  },
  {
    name: 'no end',
    reasons: MALFORMED,
    make: (draft) => form({ ...draft, body: form(draft).body.subarray(0, -END.length) }),
  },
  {
    name: 'two boundaries',
    reasons: MALFORMED,
    make: drafted({ contentType: `multipart/form-data; boundary=${BOUNDARY}; boundary=other` }),
  },
  {
    name: 'another boundary than the body has',
    reasons: MALFORMED,
    make: drafted({ contentType: 'multipart/form-data; boundary=other' }),
  },
  {
    name: 'a form that is no form',
    reasons: ['missing-authentication'],
    make: drafted({ contentType: 'application/x-www-form-urlencoded' }),
  },
  {
    name: 'a form that is put',
    reasons: ['missing-authentication'],
    make: (draft) => ({ ...form(draft), method: 'PUT' }),
  },
  {
    name: 'a form with the header of another request',
    reasons: ['signature-mismatch', 'header-not-signed', 'signed-header-absent', 'missing-date'],
    make: headed(['authorization', headerOf(signed({ method: 'POST' }), 'authorization')]),
  },
  {
    name: 'a form with the signature in the query',
    reasons: ['unsupported-algorithm', 'form-target-refused'],
    make: drafted({ target: '/photos?X-Amz-Signature=0' }),
  },
];

t.test('forms', async (t) => {
  const fronts = await startFronts(t, { env: { KEYD_POST_FORMS: 'yes' } });
  for (const { name, honest = {}, reasons, make } of ATTACKS) {
    const hostile = make(honest);
    const wrong: string[] = [];
    for (const front of fronts.all) {
      // Elsewhere no form is taken: it is a request without a signature.
      const isTaken = front.kind === 'proxy';
      const before = front.behind();
      const reply = await front.send(hostile);
      const reason = reply.headers['x-keyd-reason'];
      if (reply.status < 400) wrong.push(`${front.name}: was served`);
      if (isTaken && !reasons.some((one) => one === reason))
        wrong.push(`${front.name}: ${String(reason)} ${reply.body}`);
      if (front.behind() !== before) wrong.push(`${front.name}: something got behind the front`);
      const twin = await front.send(form(honest));
      if (isTaken !== twin.status < 300) wrong.push(`${front.name}: the honest twin: ${reply.status} ${twin.body}`);
    }
    fronts.output.expectSignaturesOf(form(honest));
    t.strictSame(wrong, [], name);
  }
  await checkAftermath(t, fronts);
});
