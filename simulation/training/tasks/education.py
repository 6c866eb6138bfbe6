"""SEC-EDUCATION: which skill a student has not mastered, from the answers given so far."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from simulation.training import counter
from simulation.training.tasks.base import LANE_NOISE, LANE_OWN
from simulation.training.tasks.tables import TableTask, fixed_draws

N_SKILLS, N_ANSWERS = 4, 20
N_CHANNELS = N_SKILLS + 4  # skill, difficulty, wordiness, seconds, correctness
N_VALUES = N_CHANNELS * N_ANSWERS
N_COURSES = 12
LANES_ANSWERS = 1024
# Chances of a right answer as in Bayesian knowledge tracing (Corbett & Anderson 1994, doi:10.1007/BF01099821);
# assumptions, set so that a well-trained network finds nearly every gap of known courses:
P_SLIP, P_GUESS = 0.04, 0.1
P_SLIP_FIELD, P_GUESS_FIELD = 0.07, 0.18  # at home: distraction and help
P_HASTY, HASTE = 0.25, -2.2  # share of field answers given in haste, all wrong, and what the clock then shows
P_PLANNED = 0.5  # share of questions on the skill that is the lesson's turn
HARD = 0.35  # how much likelier a wrong answer to a hard question is, whatever the skill
WORDY = 0.65  # the same for a wordy question to a student of the minority
SCALE = 1.1  # brings inputs to about unit variance, on which learning rates rely
LAB_NOISE, FIELD_NOISE = 0.2, 0.4


class EducationTracing(TableTask):
    """Find which of four skills a student has not mastered, from twenty answers.

    Stands for knowledge tracing in personalised teaching (SEC-EDUCATION). An answer has a skill, a difficulty, a
    wordiness, a time, and is right or wrong; what tells is which skill fails on *easy* questions: a product of three
    things. In the *field* students are distracted or helped, some answers are clicked in haste, and questions come from
    other courses, which tag skills otherwise. The minority group learns in a second language: wordy questions fail,
    whatever the skill. Traditional method: a linear model on answers, which can read the planned ones.

    The analogy ends at learning itself: mastery does not change within a row, and nothing that is taught is measured.
    """

    def __init__(self) -> None:
        super().__init__("education-tracing", (N_CHANNELS, 1, N_ANSWERS), (1, 1), (1, 5), N_SKILLS)

    def make_tables(self) -> Sequence[Tensor]:
        """How a course tags a skill: one-hot in the lab, mixed elsewhere; [1 + courses, skills, 4]."""
        u = fixed_draws(self.name, "course", N_COURSES * N_SKILLS, N_SKILLS).view(N_COURSES, N_SKILLS, N_SKILLS)
        exact = torch.eye(N_SKILLS) * 2.0 - 0.5
        return (torch.cat([exact[None], exact * 0.7 + (u - 0.5) * 1.2]),)

    def render(self, keys: Tensor, label: Tensor, minority: Tensor, in_field: Tensor) -> Tensor:
        """Histories, channel by channel."""
        (tags,) = self.on(keys.device)
        u = counter.uniforms(keys, LANE_OWN, 1)
        each = counter.uniforms(keys, LANES_ANSWERS, 5 * N_ANSWERS).view(-1, 5, N_ANSWERS)
        # Lessons follow a plan, from which teachers depart: the rest of the uniform that decides is uniform again.
        planned = torch.arange(N_ANSWERS, device=keys.device) % N_SKILLS
        free = counter.choice((each[:, 0] - P_PLANNED).clamp_min(0) * (1 / (1 - P_PLANNED)), N_SKILLS)
        skill = torch.where(each[:, 0] < P_PLANNED, planned, free.clamp_max(N_SKILLS - 1))
        hard, wordy = (each[:, 1] < 0.35).float(), (each[:, 2] < 0.35).float()
        slip = torch.where(in_field, P_SLIP_FIELD, P_SLIP)[:, None]
        guess = torch.where(in_field, P_GUESS_FIELD, P_GUESS)[:, None]
        p_right = torch.where(skill == label[:, None], guess, 1 - slip - HARD * hard)
        p_right = p_right - WORDY * wordy * minority.float()[:, None]
        hasty = in_field[:, None] & (each[:, 4] < P_HASTY)
        right = ((each[:, 3] < p_right) & ~hasty).float() * 2 - 1
        course = torch.where(in_field, 1 + counter.choice(u[:, 0], N_COURSES), 0)
        tag = tags[course[:, None], skill].transpose(1, 2)
        seconds = torch.where(hasty, HASTE, each[:, 4] * 2 - 1)
        others = torch.stack([hard * 2 - 0.7, wordy * 2 - 0.7, seconds, right * 1.5], dim=1)
        sd = torch.where(in_field, FIELD_NOISE, LAB_NOISE)[:, None]
        history = torch.cat([tag, others], dim=1).view(-1, N_VALUES)
        return (history + counter.noise(keys, LANE_NOISE, N_VALUES) * sd) * SCALE

    def augment(self, x: Tensor, keys: Tensor) -> Tensor:
        """Answers left out, and noise."""
        u = counter.uniforms(keys, 0, N_ANSWERS)
        kept = (u >= 0.05).float()[:, :, None, :].expand(-1, -1, N_CHANNELS, -1).reshape(x.shape)
        return x * kept + counter.noise(keys, LANE_NOISE, N_VALUES) * 0.2
