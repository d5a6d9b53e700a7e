// AUTH-04: what the time of a refused login tells. The cases are tried in turn, so that whatever drifts concerns all alike.
import { createAccount, login, ms, percentile, send, startBenched, timed } from './support.ts';

const ROUNDS = 60;
const PASSWORD = 'Bench-pass-1';
const LOCKED_USER = 'locked';

const server = await startBenched({ LOGIN_LOCK_ATTEMPTS: '1000' });
try {
  const token = await createAccount(server.url, 'bench', PASSWORD);
  const add = (username: string) =>
    send(
      server.url,
      token,
      'mutation ($input: CreateUserInput!) { createUser(input: $input) { __typename ... on CreateUserSuccess { user { id } } ... on Error { code message } } }',
      { input: { username, email: `${username}@example.com`, password: PASSWORD, passwordConfirmation: PASSWORD } },
    );
  await add('wrong-password');
  const disabled = (await add(LOCKED_USER)).createUser.user.id;
  await send(
    server.url,
    token,
    'mutation ($id: ID!) { disableUser(input: { userId: $id, confirm: true }) { __typename } }',
    { id: disabled },
  );

  const cases = {
    'unknown account': () => login(server.url, 'nowhere', 'admin', PASSWORD),
    'unknown user': () => login(server.url, 'bench', 'nobody', PASSWORD),
    'wrong password': () => login(server.url, 'bench', 'wrong-password', 'Not-the-password-1'),
    'disabled user': () => login(server.url, 'bench', LOCKED_USER, PASSWORD),
  };
  const times = Object.fromEntries(Object.keys(cases).map((name) => [name, [] as number[]]));
  for (let round = 0; round < ROUNDS + 5; round++) {
    const order = Object.entries(cases).sort(() => Math.random() - 0.5);
    for (const [name, attempt] of order) {
      let answer = '';
      const time = await timed(async () => {
        answer = await attempt();
      });
      if (answer !== 'InvalidCredentialsError') throw new Error(`${name}: ${answer}`);
      // The first rounds warm up.
      if (round >= 5) times[name]?.push(time);
    }
  }
  const reference = percentile(times['wrong password'] ?? [], 0.5);
  console.log(`${ROUNDS} refused logins of each kind, in random turn`);
  for (const [name, values] of Object.entries(times)) {
    const [low, median, high] = [0.25, 0.5, 0.75].map((share) => percentile(values, share)) as [number, number, number];
    console.log(
      `${name.padEnd(16)} median ${ms(median).padStart(9)}   middle half ${ms(low)} to ${ms(high)}   ratio to a wrong password ${(median / reference).toFixed(3)}`,
    );
  }
} finally {
  await server.kill();
}
