"""SEC-SERVICE: what a customer wants, from a sentence of a small grammar."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from simulation.training import counter
from simulation.training.tasks.base import LANE_NOISE, LANE_OWN
from simulation.training.tasks.tables import TableTask, fixed_draws

N_DIMS, N_WORDS = 8, 12
N_VALUES = N_DIMS * N_WORDS
INTENTS = ("cancel order", "cancel account", "change order", "change account", "query order", "query account")
N_VERBS, N_OBJECTS = 3, 2
N_SYNONYMS, N_FILLERS = 3, 16
N_REGISTERS = 3  # standard, dialect, slang
# Word numbers: verbs by register and synonym, then objects, then fillers.
FIRST_OBJECT = N_REGISTERS * N_VERBS * N_SYNONYMS
FIRST_FILLER = FIRST_OBJECT + N_REGISTERS * N_OBJECTS * N_SYNONYMS
VOCABULARY = FIRST_FILLER + N_FILLERS
NO_WORD = VOCABULARY
# Assumptions, set so that a well-trained network understands nearly all standard sentences:
SPREAD = 0.65  # of synonyms around the meaning, in units of the spread of meanings
LAB_NOISE, FIELD_NOISE = 0.25, 0.3
LANES_WORDS = LANE_OWN + 16
P_SLANG, P_TYPO, P_BROKEN = 0.4, 0.05, 0.2
SHORT, LONG = 7, 12  # words of a sentence: 7 to 10 in the lab, 12 in the field


def _embeddings() -> Tensor:
    """A vector for each word, and none for silence: [vocabulary + 1, 8].

    Synonyms lie about their meaning, as in embeddings learnt from text; dialect and slang lie farther away.
    """
    name = "service-language"
    n_meanings = N_VERBS + N_OBJECTS
    meanings = fixed_draws(name, "meaning", n_meanings, N_DIMS) * 2 - 1
    offsets = fixed_draws(name, "synonym", N_REGISTERS * n_meanings * N_SYNONYMS, N_DIMS) * 2 - 1
    spread = torch.tensor([SPREAD, 1.5 * SPREAD, 1.7 * SPREAD])[:, None, None, None]
    words = meanings[:, None] + offsets.view(N_REGISTERS, n_meanings, N_SYNONYMS, N_DIMS) * spread
    verbs, objects = words[:, :N_VERBS].reshape(-1, N_DIMS), words[:, N_VERBS:].reshape(-1, N_DIMS)
    fillers = (fixed_draws(name, "filler", N_FILLERS, N_DIMS) * 2 - 1) * 0.8
    return torch.cat([verbs, objects, fillers, torch.zeros(1, N_DIMS)])


class ServiceLanguage(TableTask):
    """Recognise which of six things a customer wants done: cancel, change or query × order or account.

    Stands for assistants in customer service (SEC-SERVICE). A sentence is up to twelve words of a small grammar:
    fillers, then the verb and its object, which follows at once; elsewhere the other object is mentioned too ("since I
    opened my account I want to cancel the *order*"), so that word order matters. Words are vectors of eight numbers, as
    from an embedding. In the *lab* sentences are short and in standard language; the *field* has longer ones, slang,
    typos (a word becomes another's vector) and broken word order. The minority group speaks a dialect: other synonyms.
    Traditional method: a linear classifier on the vectors of all places, in the manner of key words.

    The analogy ends at dialogue, reference, irony, new intents, and at a vocabulary of 61 words.
    """

    def __init__(self) -> None:
        super().__init__("service-language", (N_DIMS, 1, N_WORDS), (1, 3), (1, 2), len(INTENTS))

    def make_tables(self) -> Sequence[Tensor]:
        """Word vectors in units of about one standard deviation."""
        return (_embeddings() * 2.0,)

    def render(self, keys: Tensor, label: Tensor, minority: Tensor, in_field: Tensor) -> Tensor:
        """Sentences, dimension by dimension."""
        (embeddings,) = self.on(keys.device)
        words = self._sentence(keys, label, minority, in_field)
        vectors = embeddings[words].transpose(1, 2).reshape(-1, N_VALUES)
        sd = torch.where(in_field, FIELD_NOISE, LAB_NOISE)[:, None]
        return vectors + counter.noise(keys, LANE_NOISE, N_VALUES) * sd

    def _sentence(self, keys: Tensor, label: Tensor, minority: Tensor, in_field: Tensor) -> Tensor:
        """Word numbers [n, 12]."""
        u = counter.uniforms(keys, LANE_OWN, 9)
        each = counter.uniforms(keys, LANES_WORDS, 2 * N_WORDS)
        verb, target = label // N_OBJECTS, label % N_OBJECTS
        slang = in_field & (u[:, 0] < P_SLANG)
        register = torch.where(slang, 2, minority.long())

        def spoken(first: int, number: Tensor, n: int, u_synonym: Tensor) -> Tensor:
            return first + (register * n + number) * N_SYNONYMS + counter.choice(u_synonym, N_SYNONYMS)

        places = torch.arange(N_WORDS, device=keys.device)
        length = torch.where(in_field, LONG, SHORT + counter.choice(u[:, 1], LONG - SHORT - 1))
        words = FIRST_FILLER + counter.choice(each[:, :N_WORDS], N_FILLERS)
        words = torch.where(places < length[:, None], words, NO_WORD)
        start = (u[:, 2] * (length - 4)).long() + 2  # of the verb: 2 … length − 3
        verb_word = spoken(0, verb, N_VERBS, u[:, 3])
        object_word = spoken(FIRST_OBJECT, target, N_OBJECTS, u[:, 4])
        other_word = spoken(FIRST_OBJECT, 1 - target, N_OBJECTS, u[:, 5])
        broken = (in_field & (u[:, 6] < P_BROKEN)).long()
        before = u[:, 7] < 0.5
        # What the sentence does not ask for stands right before the verb, or two places after its object.
        decoy = torch.where(before, start - 1, start + 3).clamp_max(N_WORDS - 1)
        rows = torch.arange(len(keys), device=keys.device)
        words[rows, decoy] = torch.where(u[:, 8] < 0.7, other_word, words[rows, decoy])
        words[rows, start] = verb_word
        words[rows, start + 1 + broken] = object_word
        typo = in_field[:, None] & (each[:, N_WORDS:] < P_TYPO)
        wrong = counter.choice(each[:, N_WORDS:] * (1 / P_TYPO), VOCABULARY).clamp_max(VOCABULARY - 1)
        return torch.where(typo, wrong, words)

    def augment(self, x: Tensor, keys: Tensor) -> Tensor:
        """Words left out, and vectors moved a little, as if by synonyms."""
        u = counter.uniforms(keys, 0, N_WORDS)
        kept = (u >= 0.08).float()[:, :, None, :].expand(-1, -1, N_DIMS, -1).reshape(x.shape)
        return x * kept + counter.noise(keys, LANE_NOISE, N_VALUES) * 0.4
