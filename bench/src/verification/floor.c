/*
 * The floor: verifies a request from its raw head with as little work as there can be, and with none of the checks that
 * a verifier owes its users. Started with the signing key in hex and the head as arguments, it reads a number of
 * verifications from each line of its input and writes the nanoseconds of CPU time that they took.
 */
#define _GNU_SOURCE
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/crypto.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

struct text {
  const char *at;
  size_t length;
};
struct pair {
  struct text name, value;
};

static unsigned char inner[64 + 512], outer[64 + 32];

/* OpenSSL 3's one-shot SHA256() looks the algorithm up each time. */
static void sha256(const void *data, size_t length, unsigned char *digest) {
  SHA256_CTX state;
  SHA256_Init(&state);
  SHA256_Update(&state, data, length);
  SHA256_Final(digest, &state);
}

static char *put(char *to, const char *from, size_t length) {
  memcpy(to, from, length);
  return to + length;
}

static void to_hex(char *to, const unsigned char *from) {
  for (int i = 0; i < 32; i++) {
    *to++ = "0123456789abcdef"[from[i] >> 4];
    *to++ = "0123456789abcdef"[from[i] & 15];
  }
}

static int digit(char c) {
  return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10;
}

static void from_hex(unsigned char *to, const char *from) {
  for (int i = 0; i < 32; i++) to[i] = (unsigned char)(digit(from[2 * i]) << 4 | digit(from[2 * i + 1]));
}

static int same_name(struct text one, const char *other, size_t length) {
  if (one.length != length) return 0;
  for (size_t i = 0; i < length; i++)
    if ((one.at[i] | 0x20) != (other[i] | 0x20)) return 0;
  return 1;
}

static struct text value_of(const struct pair *pairs, int count, const char *name, size_t length) {
  for (int i = 0; i < count; i++)
    if (same_name(pairs[i].name, name, length)) return pairs[i].value;
  return (struct text){"", 0};
}
#define VALUE_OF(pairs, count, name) value_of(pairs, count, name, sizeof(name) - 1)

static struct text part(struct text whole, const char *name, size_t length) {
  const char *at = memmem(whole.at, whole.length, name, length);
  if (at == NULL) return (struct text){"", 0};
  at += length;
  const char *end = memchr(at, ',', whole.length - (size_t)(at - whole.at));
  return (struct text){at, (size_t)((end == NULL ? whole.at + whole.length : end) - at)};
}
#define PART(whole, name) part(whole, name, sizeof(name) - 1)

static int read_query(const char *at, const char *end, struct pair *pairs) {
  int count = 0;
  while (at < end) {
    const char *stop = memchr(at, '&', (size_t)(end - at));
    if (stop == NULL) stop = end;
    const char *equals = memchr(at, '=', (size_t)(stop - at));
    struct pair one = {{at, (size_t)(equals - at)}, {equals + 1, (size_t)(stop - equals - 1)}};
    int to = count++;
    for (; to > 0; to--) {
      struct text before = pairs[to - 1].name;
      size_t shorter = before.length < one.name.length ? before.length : one.name.length;
      if (memcmp(before.at, one.name.at, shorter) < 0) break;
      pairs[to] = pairs[to - 1];
    }
    pairs[to] = one;
    at = stop + 1;
  }
  return count;
}

static int verify(const char *head, size_t length) {
  static char canonical[8192], to_sign[512];
  struct pair headers[64], parameters[64];
  const char *end = head + length;
  const char *target = (const char *)memchr(head, ' ', length) + 1;
  const char *target_end = memchr(target, ' ', (size_t)(end - target));
  const char *line = (const char *)memchr(target_end, '\n', (size_t)(end - target_end)) + 1;
  int count = 0;
  while (line < end && *line != '\r') {
    const char *stop = memchr(line, '\r', (size_t)(end - line));
    const char *colon = memchr(line, ':', (size_t)(stop - line));
    headers[count++] = (struct pair){{line, (size_t)(colon - line)}, {colon + 2, (size_t)(stop - colon - 2)}};
    line = stop + 2;
  }
  const char *mark = memchr(target, '?', (size_t)(target_end - target));
  struct text credential, signed_headers, signature, date, payload;
  int parameter_count = mark == NULL ? 0 : read_query(mark + 1, target_end, parameters);
  if (parameter_count > 0) {
    credential = VALUE_OF(parameters, parameter_count, "x-amz-credential");
    signed_headers = VALUE_OF(parameters, parameter_count, "x-amz-signedheaders");
    signature = VALUE_OF(parameters, parameter_count, "x-amz-signature");
    date = VALUE_OF(parameters, parameter_count, "x-amz-date");
    payload = (struct text){"UNSIGNED-PAYLOAD", 16};
  } else {
    struct text authorization = VALUE_OF(headers, count, "authorization");
    credential = PART(authorization, "Credential=");
    signed_headers = PART(authorization, "SignedHeaders=");
    signature = PART(authorization, "Signature=");
    date = VALUE_OF(headers, count, "x-amz-date");
    payload = VALUE_OF(headers, count, "x-amz-content-sha256");
  }

  char *to = put(canonical, head, (size_t)(target - 1 - head));
  *to++ = '\n';
  to = put(to, target, (size_t)((mark == NULL ? target_end : mark) - target));
  *to++ = '\n';
  for (int i = 0, is_first = 1; i < parameter_count; i++) {
    if (parameters[i].value.at == signature.at) continue;
    if (!is_first) *to++ = '&';
    is_first = 0;
    to = put(to, parameters[i].name.at, parameters[i].name.length + 1 + parameters[i].value.length);
  }
  *to++ = '\n';
  for (const char *name = signed_headers.at, *last = name + signed_headers.length; name < last;) {
    const char *stop = memchr(name, ';', (size_t)(last - name));
    if (stop == NULL) stop = last;
    to = put(to, name, (size_t)(stop - name));
    *to++ = ':';
    struct text value = value_of(headers, count, name, (size_t)(stop - name));
    to = put(to, value.at, value.length);
    *to++ = '\n';
    name = stop + 1;
  }
  *to++ = '\n';
  to = put(to, signed_headers.at, signed_headers.length);
  *to++ = '\n';
  to = put(to, payload.at, payload.length);

  unsigned char digest[32], presented[32];
  sha256(canonical, (size_t)(to - canonical), digest);
  to = put(to_sign, "AWS4-HMAC-SHA256\n", 17);
  to = put(to, date.at, date.length);
  *to++ = '\n';
  const char *scope = credential.at;
  while (*scope != '/' && *scope != '%') scope++;
  for (scope += *scope == '%' ? 3 : 1; scope < credential.at + credential.length; scope++) {
    if (*scope == '%') scope += 2, *to++ = '/';
    else *to++ = *scope;
  }
  *to++ = '\n';
  to_hex(to, digest);
  to += 64;
  memcpy(inner + 64, to_sign, (size_t)(to - to_sign));
  sha256(inner, 64 + (size_t)(to - to_sign), outer + 64);
  sha256(outer, 96, digest);
  from_hex(presented, signature.at);
  return CRYPTO_memcmp(digest, presented, 32) == 0;
}

int main(int count, char **arguments) {
  if (count != 3) return 2;
  unsigned char key[32];
  from_hex(key, arguments[1]);
  for (int i = 0; i < 64; i++) {
    inner[i] = 0x36 ^ (i < 32 ? key[i] : 0);
    outer[i] = 0x5c ^ (i < 32 ? key[i] : 0);
  }
  const char *head = arguments[2];
  size_t length = strlen(head);
  char line[32];
  while (fgets(line, sizeof(line), stdin) != NULL) {
    struct timespec begin, end;
    long times = atol(line);
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &begin);
    for (long i = 0; i < times; i++) {
      if (!verify(head, length)) return 1;
    }
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &end);
    printf("%ld\n", (end.tv_sec - begin.tv_sec) * 1000000000L + end.tv_nsec - begin.tv_nsec);
    fflush(stdout);
  }
  return 0;
}
