"""Several files in one field of a form."""

from typing import Any

from django import forms


class _ManyInput(forms.ClearableFileInput):
    allow_multiple_selected = True


class ManyFiles(forms.FileField):
    """Any number of files; cleaned to a list, empty where none was chosen. What a file may be is for the room to say."""

    widget = _ManyInput

    def clean(self, data: Any, initial: Any = None) -> list[Any]:
        given = data if isinstance(data, list | tuple) else [data] if data else []
        if not given and self.required:
            super().clean(None, initial)  # raises the field's own words
        return [super(ManyFiles, self).clean(each, initial) for each in given]
