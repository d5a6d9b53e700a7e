import { z } from 'zod';
import { type CallOptions, callDevicePort, invalidAnswer, parseJson, readRefusal } from '../client/device-port.ts';
import { ENROL_PATH, type EnrolmentRequest, type EnrolmentResponse } from '../src/gateway/protocol.ts';

const enrolmentResponse: z.ZodType<EnrolmentResponse> = z.object({
  registrationStatus: z.enum(['PENDING_APPROVAL', 'ACTIVE']),
  ewonName: z.string(),
  certificate: z.string(),
  certificateNotAfter: z.string(),
  certificateAuthority: z.string(),
  tunnelUrl: z.url({ protocol: /^wss$/ }),
});

/**
 * Registers a device (`POST /enrol`).
 *
 * @throws CodedError the code of the platform's refusal; `UNREACHABLE`, `TIMEOUT`, `PLATFORM_NOT_TRUSTED`, `ANSWER_INVALID`
 */
export async function enrol(
  deviceUrl: string,
  authority: string,
  body: EnrolmentRequest,
  options: CallOptions,
): Promise<EnrolmentResponse> {
  const answer = await callDevicePort(
    deviceUrl,
    ENROL_PATH,
    { method: 'POST', ca: authority, minVersion: 'TLSv1.3' },
    options,
    JSON.stringify(body),
  );
  if (answer.status === 201) {
    const response = enrolmentResponse.safeParse(parseJson(answer.body));
    if (response.success) return response.data;
    throw invalidAnswer(deviceUrl, ENROL_PATH);
  }
  throw readRefusal(answer.body) ?? invalidAnswer(deviceUrl, ENROL_PATH, answer.status);
}
