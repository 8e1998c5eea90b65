"""A CI gate that holds a pipeline until a build at Huawei Cloud CodeArts Build has a result."""

__version__ = "0.1.0"
