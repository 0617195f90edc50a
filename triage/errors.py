"""The one error tree. Every message says whose setting it is, what is allowed and what was given."""


class TriageError(Exception):
    """Root of every error this project raises on purpose.

    `code` is a stable machine-readable name; it is what a row error carries in its `error.code`.
    """

    code = "triage_error"


class InputError(TriageError):
    """A case, file or row that cannot be read or is beyond the limits."""

    code = "bad_input"


class LabelError(InputError):
    """A label that is not one of its head."""


class SettingsError(TriageError):
    """A taxonomy, policy, lexicon or recipe file that says something it may not say."""

    code = "bad_settings"


class ArtefactError(TriageError):
    """A model folder that is incomplete, altered or of an unknown format."""

    code = "bad_artefact"


class OutputError(TriageError):
    """A file that cannot be written."""

    code = "bad_output"


class EngineError(TriageError):
    """The processes that share the work cannot be started, or ended before it was done."""

    code = "engine_failed"


class StageError(TriageError):
    """A stage of the pipeline failed on a case; the message names the stage, never the text."""

    code = "stage_failed"

    def __init__(self, stage: str, cause: BaseException):
        super().__init__(f"stage '{stage}' failed: {type(cause).__name__}")
        self.stage = stage
