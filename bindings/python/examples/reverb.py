"""Makes a melody, plucked note by note, and plays it in a hall: a filter of 48,000 taps, a second of what the hall answers to a clap.
Both are WAV files, of one channel and 16 bits.

    python3 reverb.py [FOLDER]
"""

from __future__ import annotations

import pathlib
import sys
import tempfile
import time
import wave

import numpy
from numpy.typing import NDArray

from convoke import signal

Sound = NDArray[numpy.float32]
RATE = 48000
SECONDS = 4
NOTES = (220.0, 277.18, 329.63, 440.0, 329.63, 277.18, 220.0, 164.81)


def plucked(pitch: float, seconds: float) -> Sound:
    """A string: harmonics, of which the higher ones fade sooner."""
    t = numpy.arange(int(seconds * RATE)) / RATE
    note = sum(numpy.sin(2 * numpy.pi * pitch * k * t) * numpy.exp(-4 * k * t) / k for k in range(1, 9))
    return numpy.asarray(note, numpy.float32)


def melody() -> Sound:
    sound = numpy.zeros(SECONDS * RATE, numpy.float32)
    for number, pitch in enumerate(NOTES):
        begin = int(number * 0.4 * RATE)
        note = plucked(pitch, 0.8)
        sound[begin:begin + note.size] += note
    loudest: Sound = sound / abs(sound).max()
    return loudest


def hall() -> Sound:
    """The clap itself, a few walls, and noise that dies away to a thousandth within the second."""
    random = numpy.random.default_rng(1)
    answer = random.normal(0, 0.03, RATE) * numpy.exp(-6.9 * numpy.arange(RATE) / RATE)
    answer[:RATE // 50] = 0
    answer[0] = 1
    for milliseconds, share in (23, 0.5), (41, 0.4), (59, 0.3), (83, 0.25):
        answer[milliseconds * RATE // 1000] += share
    made: Sound = answer.astype(numpy.float32)
    return made


def write_wav(path: pathlib.Path, sound: Sound) -> None:
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(numpy.rint(sound / abs(sound).max() * 32000).astype("<i2").tobytes())


def sample(dry: Sound, answer: Sound, at: int) -> float:
    """One sample of the result, summed tap by tap in float64."""
    first = max(0, at - answer.size + 1)
    past = dry[first:at + 1].astype(numpy.float64)
    return float(past @ answer[:past.size][::-1].astype(numpy.float64))


def main(folder: pathlib.Path) -> None:
    dry, answer = melody(), hall()
    signal.convolve(dry, answer)  # compiles
    begin = time.perf_counter()
    wet = signal.convolve(dry, answer)
    took = time.perf_counter() - begin
    write_wav(folder / "dry.wav", dry)
    write_wav(folder / "wet.wav", wet)
    places = [0, 1, 1000, RATE - 1, RATE, 2 * RATE + 7, dry.size - 1]
    error = max(abs(float(wet[at]) - sample(dry, answer, at)) for at in places)
    print(f"{dry.size} samples, {answer.size} taps: {1e3 * took:.1f} ms, {dry.size / RATE / took:.0f} times as fast as it plays")
    print("the hall answers" if wet.size == dry.size + answer.size - 1 and error < 1e-5 else f"off by {error}")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(pathlib.Path(sys.argv[1]))
    else:
        with tempfile.TemporaryDirectory() as scratch:
            main(pathlib.Path(scratch))
