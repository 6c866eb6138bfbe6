"""SEC-SPEECH: recognising words in short sound sequences."""

from __future__ import annotations

import torch
from torch import Tensor

from simulation.training import counter
from simulation.training.tasks.base import LANE_NOISE, LANE_OWN, RenderedTask

FRAMES, BANDS, N_WORDS = 16, 8, 10
N_PACES, N_PITCHES, N_CHANNELS = 8, 8, 32
N_VALUES = FRAMES * BANDS
N_KNOTS = 5
# Assumptions, set so that fact A5 (5 % word error on benchmarks, 19–35 % in the field) is reachable, not automatic:
SCALE = 2.5  # brings inputs to about unit variance, on which learning rates rely
LAB_NOISE, FIELD_NOISE = 0.20, 0.22
ACCENT = 1.3  # how far the accent moves a formant's knots, in bands
BABBLE = (0.0, 0.5)
ECHO, HUM = 0.5, 0.8


def _draws(name: str, n_keys: int, n: int) -> Tensor:
    """Fixed uniforms [n_keys, n] that define the task itself."""
    keys = counter.row_keys(counter.stream_keys(torch.tensor([0]), "speech", name), torch.arange(n_keys))[0]
    return counter.uniforms(keys, 0, n)


def _tracks() -> Tensor:
    """Knots of two formants for each accent and word: [2 accents, words, 2 formants, knots], in bands."""
    u = _draws("word", N_WORDS, 2 * N_KNOTS).view(N_WORDS, 2, N_KNOTS)
    low = 0.5 + 3.0 * u[:, 0]
    high = 3.5 + 3.5 * u[:, 1]
    standard = torch.stack([low, high], dim=1)
    shift = (_draws("accent", N_WORDS, 2 * N_KNOTS) * 2 - 1).view(N_WORDS, 2, N_KNOTS) * ACCENT
    return torch.stack([standard, standard + shift])


def _spoken(tracks: Tensor, pace: int, pitch: int) -> Tensor:
    """Words [2, words, bands, frames] at one pace (onset and duration) and one pitch (a shift of all formants)."""
    onset, duration = (pace % 4) * 1.0, 10.0 + 3.0 * (pace // 4)
    position = ((torch.arange(FRAMES) - onset) / duration * (N_KNOTS - 1)).clamp(0, N_KNOTS - 1.001)
    left = position.long()
    weight = position - left
    at = tracks[..., left] * (1 - weight) + tracks[..., left + 1] * weight
    at = at + (pitch - (N_PITCHES - 1) / 2) * 0.3
    distance = torch.arange(BANDS)[:, None] - at[..., None, :]
    energy = (1 - distance.abs() / 1.5).clamp_min(0).amax(dim=2)
    heard = (torch.arange(FRAMES) >= onset) & (torch.arange(FRAMES) < onset + duration)
    return energy * heard


def _words() -> Tensor:
    """Every word by accent, pace and pitch: [2 · words · paces · pitches, 128], band by band."""
    tracks = _tracks()
    table = [[_spoken(tracks, pace, pitch) for pitch in range(N_PITCHES)] for pace in range(N_PACES)]
    stacked = torch.stack([torch.stack(row, dim=2) for row in table], dim=2)
    return stacked.reshape(-1, N_VALUES).contiguous()


def _channels() -> Tensor:
    """Telephone lines, microphones and rooms: a gain, then a hum for each band, [32, 16]."""
    u = _draws("channel", N_CHANNELS, 2 * BANDS)
    return torch.cat([0.4 + 0.8 * u[:, :BANDS], HUM * u[:, BANDS:] ** 2], dim=1)


class Speech(RenderedTask):
    """Recognise which of ten words is spoken in 16 frames of 8 frequency bands.

    Stands for speech recognition (SEC-SPEECH): a word is a pair of moving formants, spoken at varying pace and pitch.
    The *lab* is a quiet room with a known microphone; the *field* adds a second speaker, echo, unknown lines, levels.
    Fact A5: the same systems that err on 5 % of benchmark words err on 19–35 % of real interviews. The minority group
    speaks with an accent that moves the formants. Traditional method: a linear classifier on the spectrogram.

    The analogy ends at isolated words: no language model, no segmentation, no vocabulary growth.
    """

    def __init__(self) -> None:
        # Bands are channels and frames are the width: the CNN's filters slide over time only.
        super().__init__("speech", (BANDS, 1, FRAMES), (1, 5), (1, 3), N_WORDS, input_sd=1.0)
        self._tables: dict[str, tuple[Tensor, Tensor]] = {}

    def _on(self, device: torch.device) -> tuple[Tensor, Tensor]:
        if str(device) not in self._tables:
            self._tables[str(device)] = (_words().to(device), _channels().to(device))
        return self._tables[str(device)]

    def _word(self, label: Tensor, accent: Tensor, u: Tensor) -> Tensor:
        """Rows of the word table: pace and pitch from u [n, 2]."""
        pace, pitch = counter.choice(u[:, 0], N_PACES), counter.choice(u[:, 1], N_PITCHES)
        return ((accent.long() * N_WORDS + label) * N_PACES + pace) * N_PITCHES + pitch

    def render(self, keys: Tensor, label: Tensor, minority: Tensor, in_field: Tensor) -> Tensor:
        """Spectrograms centred at about zero, band by band."""
        words, _ = self._on(keys.device)
        u = counter.uniforms(keys, LANE_OWN, 3)
        sound = words[self._word(label, minority, u)]
        grain = counter.noise(keys, LANE_NOISE, N_VALUES)
        heard = sound * (0.8 + 0.4 * u[:, 2:3]) + grain * LAB_NOISE
        far = in_field.nonzero()[:, 0]
        if len(far):
            heard[far] = self._interview(keys[far], sound[far], grain[far])
        return heard.sub_(0.2).mul_(SCALE)

    def _interview(self, keys: Tensor, sound: Tensor, grain: Tensor) -> Tensor:
        """The same words in field conditions: [n, 128]."""
        words, channels = self._on(keys.device)
        u = counter.uniforms(keys, LANE_OWN + 3, 7)
        other = self._word(counter.choice(u[:, 0], N_WORDS), u[:, 1] < 0.5, u[:, 2:4])
        low, high = BABBLE
        mixed = sound.maximum(words[other] * (low + (high - low) * u[:, 4:5])).view(-1, BANDS, FRAMES)
        echoed = mixed.clone()
        echoed[:, :, 2:] += mixed[:, :, :-2] * (ECHO * u[:, 5, None, None])
        line = channels[counter.choice(u[:, 6], N_CHANNELS)]
        heard = echoed * line[:, :BANDS, None] + line[:, BANDS:, None]
        return heard.view(-1, N_VALUES) + grain * FIELD_NOISE

    def augment(self, x: Tensor, keys: Tensor) -> Tensor:
        """Random line, level and noise."""
        _, channels = self._on(keys.device)
        u = counter.uniforms(keys, 0, 1)
        line = channels[counter.choice(u[..., 0], N_CHANNELS)]
        varied = x.view(*x.shape[:2], BANDS, FRAMES) * line[..., :BANDS, None]
        return varied.view(x.shape) + counter.noise(keys, LANE_NOISE, N_VALUES) * 0.3
