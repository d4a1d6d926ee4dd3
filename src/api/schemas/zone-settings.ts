/** Shapes of session identifiers and URL normalisation. */
import { z } from "zod";

const characteristic = z.looseObject({
  type: z.enum(["header", "cookie", "jwt"]),
  name: z.string().min(1).max(128),
});

export const configurationBody = z.looseObject({
  auth_id_characteristics: z.array(characteristic).max(10),
});

export type CharacteristicBody = z.output<typeof characteristic>;

export const configuration = z.object({
  auth_id_characteristics: z.array(z.object({ type: z.enum(["header", "cookie", "jwt"]), name: z.string() })),
});

export const urlNormalization = z.looseObject({
  scope: z.enum(["incoming", "both", "none"]),
  type: z.enum(["cloudflare", "rfc3986"]),
});
