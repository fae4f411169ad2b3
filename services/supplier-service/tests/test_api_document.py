from council_common.testing.harness import Harness
from fastapi.routing import APIRoute
from supplier_service.main import ROUTERS


def test_every_route_names_one_scope_and_tells_what_it_does() -> None:
    routes = [route for router in ROUTERS for route in router.routes if isinstance(route, APIRoute)]
    assert len(routes) == 29
    for route in routes:
        scopes = [scope for dependency in route.dependant.dependencies for scope in dependency.own_oauth_scopes or ()]
        assert len(scopes) == 1, route.path
        assert route.description, route.path


async def test_the_document_can_be_made_and_points_nowhere_else(service: Harness) -> None:
    document = service.app.openapi()
    items = document["components"]["schemas"]["BulkIn"]["properties"]["items"]
    assert items["items"] == {"$ref": "#/components/schemas/SupplierIn"}
    assert "SupplierIn" in document["components"]["schemas"]
