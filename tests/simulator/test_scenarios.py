"""The scenarios that `demo` and `simulate` offer."""

import re

import pytest
from conftest import Ask, Serve
