import pytest


@pytest.fixture(params=["rest", "api"])
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)
