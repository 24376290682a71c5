import { describe, expect, it } from "vitest";
import { cardWords, followed, isDone, matchWords, offsetWords, RATE_S, rateWords, type RateRun } from "./cameras";
import { lightUp_ms, moment_s, soundAt_s } from "./flashes";

function ran(rates: number[], dropped: number[]): RateRun {
  let run: RateRun | null = null;
  rates.forEach((rate, at) => {
    run = followed(run, at * 1000, rate, dropped[at] ?? NaN);
  });
  return run!;
}

describe("a rate over half a minute", () => {
  it("is one figure where it held, and is done after its time", () => {
    const run = ran(Array(RATE_S + 1).fill(25), Array(RATE_S + 1).fill(7));
    expect(isDone(run)).toBe(true);
    expect(rateWords(run)).toBe("25.000 fps, none dropped");
    expect(followed(run, 1e6, 50, 99)).toEqual(run);
  });

  it("shows both ends where it moved, and what was dropped since it began", () => {
    const run = ran([23.976, NaN, 24, 24], [3, 3, 5, NaN]);
    expect(isDone(run)).toBe(false);
    expect(rateWords(run)).toBe("23.976 to 24.000 fps, 2 pictures dropped");
  });

  it("says for how long a camera was gone, and never that it held", () => {
    const rates = Array<number>(RATE_S + 1).fill(NaN).fill(25, 0, 3);
    expect(rateWords(ran(rates, rates.map(() => 7)))).toBe("25.000 fps, none dropped, not seen for 28 s");
  });

  it("keeps what was dropped where a source begins anew and counts from nought", () => {
    expect(rateWords(ran([25, 25, 25, 25, 25], [700, 702, 0, 3, 4]))).toBe("25.000 fps, 6 pictures dropped");
  });

  it("says so when nothing was seen", () => {
    expect(rateWords(ran([NaN, NaN], [NaN, NaN]))).toBe("no rate seen");
  });
});

describe("the middle of the picture", () => {
  it("is a grey card where it is neutral, and has its tint where it is not", () => {
    expect(cardWords({ luma: 0.42, cb: 0.004, cr: -0.003 })).toBe("42.0 %, neutral");
    expect(cardWords({ luma: 0.42, cb: 0.02, cr: -0.031 })).toBe("42.0 %, Cb +2.0 %, Cr −3.1 %");
    expect(cardWords({ luma: NaN, cb: 0, cr: 0 })).toBe("–");
  });

  it("of two cameras is matched where neither light nor colour differs visibly", () => {
    const card = { luma: 0.42, cb: 0, cr: 0 };
    expect(matchWords({ luma: 0.43, cb: 0.005, cr: 0 }, card)).toMatchObject({ matched: true });
    expect(matchWords({ luma: 0.36, cb: 0, cr: 0.02 }, card)).toEqual({
      matched: false,
      text: "Y′ −6.0 %, Cb 0.0 %, Cr +2.0 %",
    });
    expect(matchWords(card, { luma: NaN, cb: 0, cr: 0 })).toBeNull();
  });
});

describe("sound and picture", () => {
  it("are told apart by the side on which sound is", () => {
    expect(offsetWords(-41.6, 3.2, 12)).toBe("sound 42 ms late ±3 ms · 12 flashes");
    expect(offsetWords(20, 3, 5)).toBe("sound 20 ms early ±3 ms · 5 flashes");
    expect(offsetWords(NaN, NaN, NaN)).toBe("not shown yet");
  });
});

describe("flashes", () => {
  it("come about once a second, at every moment of a picture in turn", () => {
    for (const picture_s of [1 / 24, 1001 / 24000, 1 / 25, 1 / 30, 1 / 50, 1 / 60]) {
      const phases = Array.from({ length: 20 }, (_, n) => (moment_s(n) / picture_s) % 1).sort((a, b) => a - b);
      const gaps = phases.map((phase, at) => (phases[at + 1] ?? phases[0]! + 1) - phase);
      expect(Math.max(...gaps)).toBeLessThan(0.25);
    }
    for (let n = 0; n < 50; n += 1) {
      const apart = moment_s(n + 1) - moment_s(n);
      expect(apart).toBeGreaterThan(0.9);
      expect(apart).toBeLessThan(1.13);
    }
  });

  it("light the screen on one of its own frames, and the beep is begun to be heard then", () => {
    expect(lightUp_ms(1000, 16, 1100)).toBe(1096);
    expect(lightUp_ms(1000, 16, 990)).toBe(1016);
    expect(soundAt_s({ contextTime: 5, performanceTime: 1000 }, 1250)).toBe(5.25);
  });
});
