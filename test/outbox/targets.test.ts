import { expect, test } from 'vitest';
import { classOfAddress, targetComplaint, URL_CHARACTERS_MAX } from '../../src/outbox/targets.ts';

test.each([
  ['93.184.216.34', 'public'],
  ['8.8.8.8', 'public'],
  ['2606:4700:4700::1111', 'public'],
  // this machine and private ranges
  ['127.0.0.1', 'private'],
  ['127.255.255.254', 'private'],
  ['::1', 'private'],
  ['10.0.0.1', 'private'],
  ['172.16.0.1', 'private'],
  ['172.31.255.255', 'private'],
  ['192.168.1.1', 'private'],
  ['100.64.0.1', 'private'],
  ['fc00::1', 'private'],
  ['fd12:3456::1', 'private'],
  // never
  ['0.0.0.0', 'forbidden'],
  ['0.1.2.3', 'forbidden'],
  ['::', 'forbidden'],
  ['169.254.0.1', 'forbidden'],
  ['169.254.169.254', 'forbidden'],
  ['fe80::1', 'forbidden'],
  ['fe80::1%eth0', 'forbidden'],
  ['fd00:ec2::254', 'forbidden'],
  ['fd00:0ec2:0::0254', 'forbidden'],
  ['100.100.100.200', 'forbidden'],
  ['192.0.0.192', 'forbidden'],
  ['224.0.0.1', 'forbidden'],
  ['ff02::1', 'forbidden'],
  ['255.255.255.255', 'forbidden'],
  ['240.0.0.1', 'forbidden'],
  ['192.0.2.1', 'forbidden'],
  ['198.18.0.1', 'forbidden'],
  ['203.0.113.9', 'forbidden'],
  ['2001:db8::1', 'forbidden'],
  ['fec0::1', 'forbidden'],
  ['100::1', 'forbidden'],
  // an IPv4 address inside: what that one is
  ['::ffff:127.0.0.1', 'private'],
  ['::ffff:169.254.169.254', 'forbidden'],
  ['::ffff:8.8.8.8', 'public'],
  ['64:ff9b::8.8.8.8', 'public'],
  ['64:ff9b::10.0.0.1', 'private'],
  ['64:ff9b::169.254.169.254', 'forbidden'],
  ['64:ff9b:1::8.8.8.8', 'forbidden'],
  ['2002:0a00:0001::1', 'private'],
  ['2002:a9fe:a9fe::1', 'forbidden'],
  ['2002:0808:0808::1', 'public'],
  ['2001:0:4136:e378:8000:63bf:80ff:fffe', 'private'],
  ['2001:0:4136:e378:8000:63bf:3fff:fdd2', 'forbidden'],
  ['::7f00:1', 'forbidden'],
  ['::127.0.0.1', 'forbidden'],
  // no address at all
  ['localhost', 'forbidden'],
  ['1.2.3', 'forbidden'],
  ['', 'forbidden'],
])('%s is %s', (address, expected) => {
  expect(classOfAddress(address)).toBe(expected);
});

const refusedAnyway: readonly (readonly [string, string])[] = [
  ['ftp://example.org/', 'neither http nor https'],
  ['javascript:alert(1)', 'neither http nor https'],
  ['file:///etc/passwd', 'neither http nor https'],
  ['unix:/var/run/docker.sock', 'neither http nor https'],
  ['//example.org/', 'no URL'],
  ['example.org', 'no URL'],
  ['', 'no URL'],
  ['http://', 'no URL'],
  ['http://user:secret@example.org/', 'user name'],
  ['http://user@example.org/', 'user name'],
  ['http://169.254.169.254/latest/meta-data/', 'never called'],
  ['http://2852039166/', 'never called'],
  ['http://0xa9fea9fe/', 'never called'],
  ['http://[::ffff:a9fe:a9fe]/', 'never called'],
  ['http://0/', 'never called'],
  ['http://[::]/', 'never called'],
  ['http://metadata.google.internal/', 'metadata'],
  ['http://METADATA.google.internal./', 'metadata'],
  [`http://example.org/${'x'.repeat(URL_CHARACTERS_MAX)}`, 'longer'],
];
test.each(refusedAnyway)('%s is refused whatever the setting', (url, why) => {
  for (const allowPrivate of [true, false]) expect(targetComplaint(url, { allowPrivate })).toContain(why);
});

test.each([
  'http://localhost:1234/callbacks/alpha',
  'http://LOCALHOST./',
  'http://app.localhost/',
  'http://127.0.0.1/',
  'http://2130706433/',
  'http://0x7f.1/',
  'http://017700000001/',
  'http://[::1]:8080/',
  'http://[::ffff:127.0.0.1]/',
  'http://10.1.2.3/',
  'https://192.168.0.10:8443/x?y=z',
])('%s is a matter of the setting', (url) => {
  expect(targetComplaint(url, { allowPrivate: true })).toBeNull();
  expect(targetComplaint(url, { allowPrivate: false })).not.toBeNull();
});

test.each([
  'http://example.org',
  'https://example.org:8443/a/b?c=d#e',
  'http://93.184.216.34/',
  'https://münchen.example/',
])('%s is fine', (url) => {
  for (const allowPrivate of [true, false]) expect(targetComplaint(url, { allowPrivate })).toBeNull();
});

test('a host with letters of its own is as fine after very many calls: what Node compiles then may read otherwise', () => {
  const policy = { allowPrivate: true };
  const wrong = Array.from({ length: 20_000 }, () => targetComplaint('https://münchen.example/', policy)).filter(
    (complaint) => complaint !== null,
  );
  expect(wrong).toEqual([]);
});
