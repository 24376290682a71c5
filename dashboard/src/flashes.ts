// When the tablet flashes and beeps: about once a second, at every moment of a camera's picture in
// turn. The beep is begun so that it leaves the loudspeaker as the screen lights. Pure.

export const FLASH_S = 0.1;
export const LEAD_S = 0.3; // from planning a flash to showing it
const EVERY_S = 1;
const SWAY_S = 0.2;
const GOLDEN = (Math.sqrt(5) - 1) / 2;
export const BEEP_HZ = 1000;

/** When the flash of a number is to be, in seconds from the first: 0.9 to 1.1 s apart. */
export function moment_s(number: number): number {
  return number * EVERY_S + SWAY_S * ((number * GOLDEN) % 1);
}

/** The screen's next light-up at or after a wanted time, of those a frame apart. Times in ms. */
export function lightUp_ms(frame_ms: number, every_ms: number, wanted_ms: number): number {
  return frame_ms + Math.max(1, Math.round((wanted_ms - frame_ms) / every_ms)) * every_ms;
}

/** Where on the sound's own axis something must begin that is to be heard at a time, seconds. */
export function soundAt_s(output: { contextTime: number; performanceTime: number }, heard_ms: number): number {
  return output.contextTime + (heard_ms - output.performanceTime) / 1000;
}
