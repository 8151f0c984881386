from pathlib import Path

import pytest


@pytest.fixture(params=["rest", "api"])
def family(request: pytest.FixtureRequest) -> str:
    return str(request.param)


HERE = Path(__file__).parent


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark these tests exhaustive: they compare the simulator with VMware's documents."""
    for item in items:
        if item.path.is_relative_to(HERE) and item.get_closest_marker("real") is None:
            item.add_marker("exhaustive")
