# SPDX-License-Identifier: Apache-2.0
import re
from pathlib import Path

from setuptools import find_packages, setup

ROOT = Path(__file__).parent
INIT = ROOT / "airflow_provider_mlconnector" / "__init__.py"
README = ROOT / "README.md"

setup(
    name="airflow-provider-mlconnector",
    version=re.search(r'__version__ = "(.+)"', INIT.read_text(encoding="utf-8"))[1],
    description="Keeps an Anaplan planning model and an ERP ledger in agreement, on Apache Airflow.",
    long_description=README.read_text(encoding="utf-8") if README.exists() else "",
    long_description_content_type="text/markdown",
    license="Apache-2.0",
    python_requires=">=3.11",
    packages=find_packages(include=["airflow_provider_mlconnector", "airflow_provider_mlconnector.*"]),
    package_data={"": ["py.typed", "*.json", "*.ini", "*.mako", "*.wsdl"]},
    zip_safe=False,
    install_requires=[
        "apache-airflow>=3.3.2",
        "apache-airflow-providers-common-compat>=1.23.0",
        "apache-airflow-providers-http>=6.3.0",
        "apache-airflow-providers-standard>=1.21.0",
        "alembic>=1.13",
        "cryptography>=42",
        "duckdb>=1.4",
        "fsspec>=2024.6",
        "holidays>=0.60",
        "isal>=1.7",
        "msal>=1.30",
        "msgspec>=0.19",
        "pandas>=2.2",
        "pyarrow>=18",
        "pydantic>=2.8",
        "pyspnego>=0.12",
        "pyyaml>=6.0",
        "requests>=2.32",
        "requests-ntlm>=1.3",
        "rich>=13.7",
        "sqlalchemy>=2.0",
        "tenacity>=8.5",
        "zeep>=4.3",
    ],
    extras_require={
        "sandbox": ["fastapi>=0.115", "uvicorn>=0.30"],
        "postgres": ["psycopg2-binary>=2.9"],
        "kerberos": ["pyspnego[kerberos]>=0.12"],
        "openlineage": ["apache-airflow-providers-openlineage>=2.0"],
    },
    entry_points={
        "apache_airflow_provider": [
            "provider_info = airflow_provider_mlconnector.get_provider_info:get_provider_info",
        ],
        "airflow.plugins": [
            "mlconnector = airflow_provider_mlconnector.plugins.mlconnector:MlconnectorPlugin",
        ],
        "airflow.policy": [
            "mlconnector = airflow_provider_mlconnector.policies",
        ],
    },
    classifiers=[
        "Environment :: Plugins",
        "Framework :: Apache Airflow",
        "Framework :: Apache Airflow :: Provider",
        "Intended Audience :: Financial and Insurance Industry",
        "License :: OSI Approved :: Apache Software License",
        "Programming Language :: Python :: 3.11",
        "Programming Language :: Python :: 3.12",
        "Programming Language :: Python :: 3.13",
        "Typing :: Typed",
    ],
)
