from django.http import HttpRequest, JsonResponse

from translate.engine import translate_text

_translations: dict[tuple[str, str], str] = {}


def translate_view(request: HttpRequest) -> JsonResponse:
    phrase = request.GET.get("phrase", "")
    target = request.GET.get("to", "en")
    key = (phrase, target)
    if key not in _translations:
        _translations[key] = translate_text(phrase, target)
    return JsonResponse({"translation": _translations[key]})
