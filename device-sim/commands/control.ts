import { parseArgs } from 'node:util';
import { z } from 'zod';
import { type Command, parseUrl, usageError } from '../../client/command-line.ts';
import { parseJson } from '../../client/device-port.ts';
import { CodedError, messageOf } from '../../client/errors.ts';
import { CONTROL_COMMANDS } from '../control/commands.ts';
import { readControlToken } from '../control/token.ts';
import { COMMON, DEVICES, readSecret } from './options.ts';

const options = {
  url: { type: 'string', value: '<url>', default: 'http://127.0.0.1:4480', help: 'The control API.' },
  state: { ...DEVICES.state, help: 'State folder of the running simulator: its token is there.' },
  'token-file': { type: 'string', value: '<file>', help: 'Another file with the token. Or set TALKGATE_SIM_TOKEN.' },
  'body-file': {
    type: 'string',
    value: '<file>',
    help: 'Fields of the command as JSON, "-" for standard input; for passwords, which no argument may hold.',
  },
  ...COMMON,
} as const;

/** For the whole answer: a firmware update waits until the device is back. */
const TIMEOUT_MS = 120_000;
const SECRETS = ['password', 'proof'];

const Failure = z.object({ code: z.string(), message: z.string() });
const Devices = z.object({
  devices: z.array(
    z.looseObject({
      serialNumber: z.string(),
      ewonName: z.string().nullable(),
      tunnelState: z.string(),
      vpnAddress: z.string().nullable(),
    }),
  ),
});
const Results = z.object({
  results: z.array(
    z.object({
      serialNumber: z.string(),
      outcome: z.enum(['DONE', 'FAILED']),
      result: z.unknown().optional(),
      code: z.string().optional(),
      message: z.string().optional(),
    }),
  ),
});

const width = Math.max(...Object.keys(CONTROL_COMMANDS).map((name) => name.length));

export const control: Command = {
  operands: 'list | <command> <serial number | all> [field=value …]',
  summary: 'Commands the devices of a running simulator, one that was started with --control.',
  details: [
    'Commands:',
    `  ${'list'.padEnd(width)}  Lists the devices.`,
    ...Object.entries(CONTROL_COMMANDS).map(
      ([name, { help, fields }]) => `  ${name.padEnd(width)}  ${help}${fields === '' ? '' : ` Fields: ${fields}.`}`,
    ),
    '',
    'A value is JSON, or else text; link.latencyMs=200 reaches into a field.',
  ].join('\n'),
  options,
  async run(args, surroundings) {
    const { values, positionals } = parseArgs({ args, options, allowPositionals: true });
    const [name, target, ...fields] = positionals;
    const isList = name === 'list';
    if (name === undefined || (isList && positionals.length > 1)) throw usageError('control needs list, or a command.');
    if (!isList && !Object.hasOwn(CONTROL_COMMANDS, name)) throw usageError(`There is no control command "${name}".`);
    if (!isList && target === undefined) throw usageError(`control ${name} needs a serial number, or all.`);
    const url = parseUrl(values.url, 'url', ['http']);
    const body = bodyOf(await readSecret(surroundings, { file: values['body-file'], option: 'body-file' }), fields);
    const token =
      (await readSecret(surroundings, {
        file: values['token-file'],
        option: 'token-file',
        variable: 'TALKGATE_SIM_TOKEN',
      })) ?? (await readControlToken(values.state));
    const path = isList ? '/devices' : `/devices/${encodeURIComponent(target ?? '')}/${name}`;
    const answer = await call(new URL(path, url), token, isList ? undefined : body, surroundings.signal);
    const print = (text: string) => surroundings.stdout.write(`${text}\n`);

    if (values.json) print(JSON.stringify(answer));
    if (isList) {
      if (!values.json)
        for (const device of Devices.parse(answer).devices)
          print(
            `${device.serialNumber}  ${device.tunnelState.padEnd(10)}  ${(device.vpnAddress ?? '').padEnd(15)}  ${device.ewonName ?? ''}`.trimEnd(),
          );
      return 0;
    }
    const { results } = Results.parse(answer);
    for (const { serialNumber, outcome, result, code, message } of results) {
      if (values.json) continue;
      if (outcome === 'FAILED') print(`${serialNumber} failed: ${message} (${code})`);
      else print(`${serialNumber} ${result === undefined || result === null ? 'done' : JSON.stringify(result)}`);
    }
    return results.every(({ outcome }) => outcome === 'DONE') ? 0 : 1;
  },
};

/** The fields of a command, from a file and from `field=value` or `field.of.field=value`. */
function bodyOf(file: string | undefined, fields: string[]): Record<string, unknown> {
  const body = file === undefined ? {} : parseJson(file);
  if (typeof body !== 'object' || body === null || Array.isArray(body))
    throw usageError('--body-file must hold the fields of the command as one object of JSON.');
  const whole: Record<string, unknown> = { ...body };
  for (const field of fields) {
    const at = field.indexOf('=');
    if (at < 1) throw usageError(`"${field}" must have the form field=value.`);
    const path = field.slice(0, at).split('.');
    if (path.some((part) => SECRETS.includes(part)))
      throw usageError(`${path.join('.')} is a secret, which everybody on the machine could read: use --body-file.`);
    const text = field.slice(at + 1);
    const last = path.pop() ?? '';
    let parent = whole;
    for (const part of path) {
      const inner = { ...(parent[part] as Record<string, unknown> | undefined) };
      parent[part] = inner;
      parent = inner;
    }
    const value = parseJson(text);
    parent[last] = value === undefined ? text : value;
  }
  return whole;
}

async function call(url: URL, token: string, body: unknown, signal: AbortSignal): Promise<unknown> {
  const response = await fetch(url, {
    method: body === undefined ? 'GET' : 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    ...(body !== undefined && { body: JSON.stringify(body) }),
    redirect: 'error',
    signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]),
  }).catch((error: Error) => {
    const why = messageOf(error.cause ?? error);
    throw new CodedError('UNREACHABLE', `No simulator answers at ${url.origin}: ${why}. Start one with --control.`);
  });
  const answer = parseJson(await response.text());
  if (response.ok) return answer;
  const failure = Failure.safeParse(answer);
  if (failure.success) throw new CodedError(failure.data.code, failure.data.message);
  throw new CodedError('ANSWER_INVALID', `${url.origin} is no simulator of talkgate.`);
}
