"""A small search for settings of fine-tuning, judged by mean agreement on dev (Optuna, TPE)."""

from __future__ import annotations

from collections.abc import Callable

import optuna

from training.recipe import FinetuneStage


def search(
    stage: FinetuneStage, trials: int, agreement: Callable[[FinetuneStage, int], float], seed: int = 0
) -> tuple[FinetuneStage, float]:
    """The best of `trials` settings and its agreement; the stage as given is the first of them."""
    optuna.logging.set_verbosity(optuna.logging.ERROR)  # as a warning, the traceback of a trial that was stopped
    study = optuna.create_study(direction="maximize", sampler=optuna.samplers.TPESampler(seed=seed))
    study.enqueue_trial({name: getattr(stage, name) for name in _NAMES})
    study.optimize(lambda trial: agreement(_settings(stage, trial), trial.number), n_trials=trials)
    return stage.model_copy(update=study.best_params), study.best_value


_NAMES = ("learning_rate", "layer_decay", "word_dropout", "class_balance")


def _settings(stage: FinetuneStage, trial: optuna.Trial) -> FinetuneStage:
    rate = stage.learning_rate
    return stage.model_copy(
        update={
            "learning_rate": trial.suggest_float("learning_rate", rate / 10, rate * 10, log=True),
            "layer_decay": trial.suggest_float("layer_decay", 0.6, 1.0),
            "word_dropout": trial.suggest_float("word_dropout", 0.0, 0.3),
            "class_balance": trial.suggest_float("class_balance", 0.0, 0.7),
        }
    )
