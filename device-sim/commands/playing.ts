import { type Option, type Surroundings, usageError } from '../../client/command-line.ts';
import { startControl } from '../control/server.ts';
import { openControlToken } from '../control/token.ts';
import type { Device, DeviceOptions } from '../device.ts';
import type { LanService, SimulatedLanOptions } from '../lan/lan.ts';
import { startPhoneNetwork } from '../phone-network.ts';
import { parseWhole, readSecret } from './options.ts';

/** Options of commands whose devices stay: what is behind them, and how they are reached from beside. */
export const PLAYING = {
  'lan-service': {
    type: 'string',
    multiple: true,
    value: '<address:port=kind>',
    help: 'Another machine of the LAN: modbus, http, echo, refuse, hang, stall, reset, or forward:<port> to a server on loopback.',
  },
  'login-file': {
    type: 'string',
    value: '<file>',
    help: 'File "user:password", the login of the device\'s web pages; "-" reads standard input. Or set TALKGATE_DEVICE_LOGIN.',
  },
  'on-demand': { type: 'boolean', help: 'Stay offline until woken up.' },
  'phone-number': {
    type: 'string',
    value: '<number>',
    help: 'Where an SMS reaches the device, as +41790000001; of a fleet the first, the others follow.',
  },
  control: { type: 'boolean', help: 'Open the control API, for npm run sim -- control.' },
  'control-port': { type: 'string', value: '<port>', default: '4480', help: 'Its port on loopback; 0 for a free one.' },
  'phone-network': { type: 'boolean', help: 'Take text messages for the devices: set SMS_URL of the platform to it.' },
  'phone-port': { type: 'string', value: '<port>', default: '4481', help: 'Its port on loopback; 0 for a free one.' },
} as const satisfies Record<string, Option>;

interface PlayingValues {
  'lan-service'?: string[] | undefined;
  'login-file'?: string | undefined;
  'on-demand'?: boolean | undefined;
  'phone-number'?: string | undefined;
  control?: boolean | undefined;
  'control-port': string;
  'phone-network'?: boolean | undefined;
  'phone-port': string;
}

/** What the options say of each device. @param index of the device in its fleet */
export async function playingOptions(
  values: PlayingValues,
  surroundings: Surroundings,
): Promise<(index: number) => Pick<DeviceOptions, 'lan' | 'connectionMode' | 'phoneNumber'>> {
  const lan = await readLan(values, surroundings);
  const connectionMode = values['on-demand'] ? 'ON_DEMAND' : 'PERMANENT';
  const first = values['phone-number'];
  if (first !== undefined && !/^\+[1-9]\d{6,14}$/.test(first))
    throw usageError('--phone-number must look like +41790000001.');
  return (index) => ({
    lan,
    connectionMode,
    ...(first !== undefined && { phoneNumber: `+${BigInt(first.slice(1)) + BigInt(index)}` }),
  });
}

async function readLan(values: PlayingValues, surroundings: Surroundings): Promise<SimulatedLanOptions> {
  const more = (values['lan-service'] ?? []).map(parseService);
  const login = await readSecret(surroundings, {
    file: values['login-file'],
    option: 'login-file',
    variable: 'TALKGATE_DEVICE_LOGIN',
  });
  const at = login?.indexOf(':') ?? 0;
  if (login !== undefined && at < 1) throw usageError('The login of the device must have the form user:password.');
  return {
    ...(more.length > 0 && { more }),
    ...(login !== undefined && { login: { username: login.slice(0, at), password: login.slice(at + 1) } }),
  };
}

function parseService(text: string): LanService {
  const match = /^(\d{1,3}(?:\.\d{1,3}){3}):(\d{1,5})=([a-z]+)(?::(\d{1,5}))?$/.exec(text);
  const wrong = () => usageError(`--lan-service ${text} must look like 10.0.0.40:502=modbus.`);
  if (match === null) throw wrong();
  const [, address = '', port = '', kind = '', toPort] = match;
  const place = { address, port: parseWhole(port, 'lan-service', 1, 65_535) };
  switch (kind) {
    case 'modbus':
    case 'http':
    case 'echo':
    case 'refuse':
    case 'hang':
    case 'stall':
    case 'reset':
      if (toPort !== undefined) throw wrong();
      return { ...place, kind };
    case 'forward':
      return { ...place, kind, toPort: parseWhole(toPort ?? '', 'lan-service', 1, 65_535) };
    default:
      throw wrong();
  }
}

/**
 * Opens the doors beside the devices that the options ask for: the control API (SIM-07) and the phone network (WAK-02). Close
 * them with `close`.
 *
 * @throws CodedError `PORT_NOT_AVAILABLE`, `STATE_NOT_WRITTEN`, `STATE_UNREADABLE`
 */
export async function openDoors(
  values: Pick<PlayingValues, 'control' | 'control-port' | 'phone-network' | 'phone-port'> & { state: string },
  { stderr }: Pick<Surroundings, 'stderr'>,
  devices: () => readonly Device[],
): Promise<{ close(): Promise<void> }> {
  const doors: { close(): Promise<void> }[] = [];
  const close = async () => void (await Promise.all(doors.map((door) => door.close())));
  try {
    if (values.control) {
      const port = parseWhole(values['control-port'], 'control-port', 0, 65_535);
      const control = await startControl({ devices, token: await openControlToken(values.state), port });
      doors.push(control);
      stderr.write(`Control API at ${control.url}\n`);
    }
    if (values['phone-network']) {
      const port = parseWhole(values['phone-port'], 'phone-port', 0, 65_535);
      const network = await startPhoneNetwork({
        port,
        onError: (_error, { serialNumber }) => stderr.write(`${serialNumber} was woken up and could not connect\n`),
      });
      doors.push(network);
      for (const device of devices()) network.add(device);
      stderr.write(`Phone network at ${network.url}\n`);
    }
  } catch (error) {
    await close();
    throw error;
  }
  return { close };
}
