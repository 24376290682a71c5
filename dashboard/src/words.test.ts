import { describe, expect, it } from "vitest";
import { age, ago, bitRate, clock, count, declaredRate, figure, frameRate, level, ruleWords, runningTime, distortion } from "./words";

describe("figures", () => {
  it("have a true minus sign and never say minus zero", () => {
    expect(figure(-23.44)).toBe("−23.4");
    expect(figure(-0.04)).toBe("0.0");
    expect(figure(NaN)).toBe("–");
  });

  it("say digital silence as minus infinity", () => {
    expect(level(-Infinity)).toBe("−∞");
    expect(level(-9.84)).toBe("−9.8");
  });

  it("tell 23.976 from 24", () => {
    expect(frameRate(24000 / 1001)).toBe("23.976");
    expect(frameRate(24)).toBe("24.000");
    expect(declaredRate("24000/1001")).toBe("23.976");
    expect(declaredRate("25/1")).toBe("25.000");
    expect(declaredRate(null)).toBe("–");
  });

  it("carry their unit", () => {
    expect(bitRate(18_240_000)).toBe("18.2 Mb/s");
    expect(bitRate(240_000_000)).toBe("240 Mb/s");
    expect(bitRate(64_000)).toBe("64 kb/s");
    expect(bitRate(NaN)).toBe("–");
  });

  it("agree with their noun", () => {
    expect(count(1, "channel")).toBe("1 channel");
    expect(count(8, "channel")).toBe("8 channels");
  });
});

describe("times", () => {
  it("run as on a stopwatch", () => {
    expect(runningTime(48.9)).toBe("0:48");
    expect(runningTime(725)).toBe("12:05");
    expect(runningTime(3723)).toBe("1:02:03");
    expect(runningTime(-1)).toBe("0:00");
  });

  it("are old in the fewest words", () => {
    expect(age(1.9)).toBe("now");
    expect(age(41)).toBe("41 s");
    expect(age(185)).toBe("3 min");
    expect(age(7300)).toBe("2 h");
    expect(ago(185)).toBe("3 min ago");
    expect(ago(0)).toBe("now");
    expect(ago(NaN)).toBe("–");
  });

  it("of day have eight places, known or not", () => {
    expect(clock(new Date(2026, 4, 4, 14, 2, 6).getTime())).toBe("14:02:06");
    expect(clock(NaN)).toBe("--:--:--");
  });
});

describe("rules", () => {
  it("are said in words, known or new", () => {
    expect(ruleWords("audio.clipping")).toBe("Clipping");
    expect(ruleWords("video.legal_range")).toBe("Legal range");
  });
});

it("says distortion in the percent people know", () => {
  expect(distortion(-80)).toBe("0.010 %");
  expect(distortion(-46)).toBe("0.50 %");
  expect(distortion(-20)).toBe("10.0 %");
});
